"""What must happen now? Look, decide, write, do; then sleep until something changes.

The loop holds no state of its own: killed at any moment, the next one goes on from the rows.
Anything observed is used only if the rollout has not moved since; anything done outside has a key
that is the same on every attempt.
"""

from __future__ import annotations

import threading
import time

from flagstaff.engine.complaints import Complaints
from flagstaff.engine.following import Issues
from flagstaff.engine.observing import observe
from flagstaff.engine.outgoing import Outbox
from flagstaff.engine.world import World
from flagstaff.errors import Conflict, FlagstaffError, Unavailable
from flagstaff.rollouts.event import EffectFailed, Event
from flagstaff.rollouts.machine import advance
from flagstaff.services import running
from flagstaff.services.person import ENGINE
from flagstaff.services.running import RolloutRecord
from flagstaff.services.services import Services

POLL = 0.5
"""Real seconds between looks when nothing wakes the engine."""

MOST_MOVES = 50
"""Moves of one rollout in a row, before the others get their turn."""

PATIENCE = 1.0
"""Real seconds of effects, after which guards are looked at again before the next one."""


class Engine:
    """Runs every rollout that is not over, in a thread of its own."""

    def __init__(self, services: Services, world: World, *, poll: float = POLL) -> None:
        self._services = services
        self._world = world
        self._poll = poll
        self._complaints = Complaints()
        self._issues = Issues(services, world, self._complaints)
        self._outbox = Outbox(services, world)
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        services.listen(self._hear)

    def start(self) -> None:
        """Begin, after bringing the issues of earlier rollouts up to date."""
        self._thread = threading.Thread(target=self._run, name="flagstaff-engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the step at hand and end."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Look again at once."""
        self._wake.set()

    def tick(self) -> None:
        """Move every rollout as far as it goes, do what is in the outbox, follow with the issues.

        One that cannot be moved, or an effect that cannot be done, does not stop the others.
        """
        for number in self._services.ask(running.active_numbers, ENGINE):
            with self._complaints.about(f"rollout {number}"):
                self._advance(number)
        begun = time.monotonic()
        for key in self._services.ask(running.due_effects, ENGINE):
            with self._complaints.about(f"effect {key}"):
                self._outbox.perform(key)
            if self._stopping or time.monotonic() - begun > PATIENCE:
                self.wake()
                break
        self._issues.follow()

    def _run(self) -> None:
        with self._complaints.about("the engine"):
            self._issues.hear_all()
        while not self._stopping:
            self._wake.clear()
            with self._complaints.about("the engine"):
                self.tick()
            self._wake.wait(self._poll)

    def _hear(self, names: frozenset[str]) -> None:
        self._issues.hear(names)
        if any(not name.startswith("readings:") for name in names):
            self.wake()

    def _advance(self, number: int) -> None:
        record = self._services.ask(lambda unit: running.find(unit, number), ENGINE)
        for _ in range(MOST_MOVES):
            event = observe(self._services, self._world, record)
            now = self._services.clock.now()
            after, effects = advance(record.rollout, event, now)
            if after == record.rollout and not effects:
                return
            moved = self._move(record, event)
            if moved is None or moved.rollout.phase.finished:
                return
            record = moved
        self.wake()

    def _move(self, record: RolloutRecord, event: Event) -> RolloutRecord | None:
        """Return the moved rollout, or `None` when somebody else moved it or it had to pause."""
        try:
            return self._step(record, event)
        except Conflict:
            self.wake()
            return None
        except Unavailable:
            raise
        except FlagstaffError as exc:
            step = record.rollout.current
            self._step(record, EffectFailed(step=step.id if step else "", error=str(exc)))
            return None

    def _step(self, record: RolloutRecord, event: Event) -> RolloutRecord:
        with self._services.unit(ENGINE, write=True) as unit:
            return running.step(unit, record, event)
