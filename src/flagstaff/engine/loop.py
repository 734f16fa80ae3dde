"""What must happen now? Look, decide, write, do; then sleep until something changes.

The loop holds no state of its own: killed at any moment, the next one goes on from the rows.
Anything observed is used only if the rollout has not moved since; anything done outside has a key
that is the same on every attempt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from flagstaff.engine.complaints import Complaints
from flagstaff.engine.following import Issues
from flagstaff.engine.lives import Lives
from flagstaff.engine.observing import observe
from flagstaff.engine.outgoing import Outbox
from flagstaff.engine.side_effects import SideEffects, Tell
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


class Engine:
    """Runs every rollout that is not over.

    One thread looks and decides, another does what is in the outbox, so that a slow chat or a long
    cleanup never keeps a guard from being looked at. A third tells others what has changed.

    Attributes:
        ticks: how often every rollout was looked at.

    Args:
        services: where it reads and writes.
        world: what it observes and acts on.
        poll: real seconds between looks.
        may_run: whether this is still the server that runs the rollouts; asked before each move
            and each effect.
        tell: tells somebody outside of a change of a flag; `None` tells nobody.
    """

    def __init__(
        self,
        services: Services,
        world: World,
        *,
        poll: float = POLL,
        may_run: Callable[[], bool] = lambda: True,
        tell: Tell | None = None,
    ) -> None:
        self.ticks = 0
        self._services = services
        self._world = world
        self._complaints = Complaints()
        self._issues = Issues(services, world, self._complaints)
        self._outbox = Outbox(services, world)
        self._lives = Lives(services, world)
        self._stopping = threading.Event()
        self._may_run = may_run
        self._looking = _Loop("looking", self._look, self._complaints, poll)
        self._doing = _Loop("doing", self._do, self._complaints, poll)
        self._side_effects = SideEffects(services, tell, self._complaints) if tell else None
        self._telling = _Loop("telling", self._tell, self._complaints, poll)
        services.listen(self._hear)

    def start(self) -> None:
        """Begin, after bringing the issues of earlier rollouts up to date."""
        with self._complaints.about("the engine"):
            self._issues.hear_all()
        self._looking.start()
        self._doing.start()
        self._telling.start()

    def stop(self) -> None:
        """Finish the step at hand and end."""
        self._stopping.set()
        self._services.ignore(self._hear)
        self._looking.stop()
        self._doing.stop()
        self._telling.stop()

    def wake(self) -> None:
        """Look again at once."""
        self._looking.wake()
        self._doing.wake()
        self._telling.wake()

    def tick(self) -> None:
        """Move every rollout as far as it goes, do what is in the outbox, follow with the issues.

        One that cannot be moved, or an effect that cannot be done, does not stop the others.
        """
        self._look()
        self._do()
        self._tell()
        self._issues.follow()

    def _look(self) -> None:
        self.ticks += 1
        numbers = self._services.ask(running.active_numbers, ENGINE)
        self._issues.listen(numbers)
        for number in numbers:
            if not self._goes_on():
                return
            with self._complaints.about(f"rollout {number}"):
                self._advance(number)
        self._issues.follow()

    def _do(self) -> None:
        for key in self._services.ask(running.due_effects, ENGINE):
            if not self._goes_on():
                return
            with self._complaints.about(f"effect {key}"):
                self._outbox.perform(key)
        if self._goes_on():
            with self._complaints.about("the lives of flags"):
                self._lives.look()
        for notice in self._lives.waiting():
            if not self._goes_on():
                return
            with self._complaints.about(f"notice {notice.post.key}"):
                self._lives.perform(notice)

    def _tell(self) -> None:
        if self._side_effects is not None:
            self._side_effects.work(self._goes_on)

    def _goes_on(self) -> bool:
        return not self._stopping.is_set() and self._may_run()

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
            if (after == record.rollout and not effects) or not self._goes_on():
                return
            moved = self._move(record, event)
            if moved is None or moved.rollout.phase.finished or _only_read(record, moved):
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
            failed = EffectFailed(step=step.id if step else "", error=running.one_line(exc))
            self._step(record, failed)
            return None

    def _step(self, record: RolloutRecord, event: Event) -> RolloutRecord:
        with self._services.unit(ENGINE, write=True) as unit:
            return running.step(unit, record, event)


def _only_read(before: RolloutRecord, after: RolloutRecord) -> bool:
    """Return whether guards were read and nothing else: nothing more moves before the next look."""
    return replace(before.rollout, watches=after.rollout.watches) == after.rollout


class _Loop:
    """Does one thing again and again, at once when woken, else every `poll` real seconds."""

    def __init__(
        self, name: str, work: Callable[[], None], complaints: Complaints, poll: float
    ) -> None:
        self._work = work
        self._complaints = complaints
        self._poll = poll
        self._name = name
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"flagstaff-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Go round once more at once."""
        self._woken.set()

    def stop(self) -> None:
        """Finish the round at hand and end."""
        self._stopping = True
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            with self._complaints.about(self._name):
                self._work()
            self._woken.wait(self._poll)
