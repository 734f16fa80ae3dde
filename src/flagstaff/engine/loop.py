"""What must happen now? Look, decide, write, do; then sleep until something changes.

The loop holds no state of its own: killed at any moment, the next one goes on from the rows.
Anything observed is used only if the rollout has not moved since; anything done outside has a key
that is the same on every attempt.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

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

log = logging.getLogger(__name__)

POLL = 0.5
"""Real seconds between looks when nothing wakes the engine."""

MOST_MOVES = 50
"""Moves of one rollout in a row, before the others get their turn."""


class Engine:
    """Runs every rollout that is not over, in a thread of its own."""

    def __init__(self, services: Services, world: World, *, poll: float = POLL) -> None:
        self._services = services
        self._world = world
        self._poll = poll
        self._outbox = Outbox(services, world)
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._complained: dict[int, str] = {}

    def start(self) -> None:
        """Begin, after bringing the issues of earlier rollouts up to date."""
        self._services.listen(lambda names: self.wake() if _interesting(names) else None)
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
        """Move every rollout as far as it goes, and do what is in the outbox."""
        for record in self._services.ask(running.active, ENGINE):
            try:
                self._advance(record)
                self._complained.pop(record.rollout.id, None)
            except Unavailable as exc:
                self._complain(record.rollout.id, exc)
            except Exception:
                log.exception("rollout %s could not be moved; the others go on", record.rollout.id)
        for outgoing in self._services.ask(running.due_effects, ENGINE):
            moved = self._outbox.perform(outgoing)
            if moved is not None:
                self._follow(moved)

    def _run(self) -> None:
        self._catch_up()
        while not self._stopping:
            self._wake.clear()
            try:
                self.tick()
            except Exception:
                log.exception("the engine stumbled and goes on")
            self._wake.wait(self._poll)

    def _catch_up(self) -> None:
        for record in self._services.ask(running.recent, ENGINE):
            self._follow(record)

    def _advance(self, record: RolloutRecord) -> None:
        for _ in range(MOST_MOVES):
            event = observe(self._services, self._world, record)
            now = self._services.clock.now()
            after, effects = advance(record.rollout, event, now)
            if after == record.rollout and not effects:
                return
            moved = self._move(record, event)
            if moved is None:
                return
            self._follow(moved)
            if moved.rollout.phase.finished:
                return
            record = moved

    def _move(self, record: RolloutRecord, event: Event) -> RolloutRecord | None:
        """Return the moved rollout, or `None` when somebody else moved it or it had to pause."""
        try:
            with self._services.unit(ENGINE, write=True) as unit:
                return running.step(unit, record, event)
        except (Conflict, Unavailable):
            self.wake()
            return None
        except FlagstaffError as exc:
            step = record.rollout.current
            failed = EffectFailed(step=step.id if step else "", error=str(exc))
            with self._services.unit(ENGINE, write=True) as unit:
                running.step(unit, record, failed)
            return None

    def _follow(self, record: RolloutRecord) -> None:
        if not record.issue_path or record.rollout.started_at is None:
            return
        try:
            self._world.follow_issue(Path(record.issue_path), record.rollout)
        except FlagstaffError as exc:
            self._complain(record.rollout.id, exc)

    def _complain(self, number: int, error: FlagstaffError) -> None:
        """Say it once, not at every look."""
        if self._complained.get(number) != error.message:
            self._complained[number] = error.message
            log.warning("rollout %s: %s", number, error)


def _interesting(names: frozenset[str]) -> bool:
    return any(not name.startswith("readings:") for name in names)
