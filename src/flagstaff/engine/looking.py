"""What comes of looking at a rollout once? Observe, decide, write; until it stands still.

Most looks change nothing. They are taken and ended many at a time, and only what moves gets
transactions of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from flagstaff.engine.batch import TURN, Batch
from flagstaff.engine.complaints import Complaints
from flagstaff.engine.inquiries import Inquiries
from flagstaff.engine.leases import Leases
from flagstaff.engine.observing import observe
from flagstaff.engine.world import World
from flagstaff.errors import Conflict, FlagstaffError, Unavailable
from flagstaff.rollouts.event import EffectFailed, Event
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.next_look import leeway
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services import drift, looking, running
from flagstaff.services.clock import elapsed
from flagstaff.services.looking import Look, Looked
from flagstaff.services.person import ENGINE
from flagstaff.services.running import RolloutRecord
from flagstaff.services.services import Services

log = logging.getLogger(__name__)

MOST_MOVES: Final = 50
"""Moves of one rollout in a row, before the others get their turn."""

SOONEST: Final = 0.5
"""Real seconds between two looks at a rollout that stands still."""

FIRST_BACK_OFF, LONGEST_BACK_OFF = 2.0, 600.0
"""Real seconds before a rollout that cannot be looked at is tried again; each wait is longer."""

MOST_KNOWN: Final = 20_000
"""Rollouts that are kept in memory so that they need not be read again."""


class Looker:
    """Looks at what is due.

    Args:
        services: where it reads and writes.
        world: what it observes.
        inquiries: what it asks outside without waiting.
        leases: what this process has the leases of.
        complaints: where it says what goes wrong.
        may_go_on: whether the engine is not about to stop.
    """

    def __init__(
        self,
        services: Services,
        world: World,
        inquiries: Inquiries,
        leases: Leases,
        complaints: Complaints,
        may_go_on: Callable[[], bool],
    ) -> None:
        self._services = services
        self._world = world
        self._inquiries = inquiries
        self._leases = leases
        self._complaints = complaints
        self._may_go_on = may_go_on
        self._batch = Batch()
        self._known: dict[int, RolloutRecord] = {}
        self._failures: dict[int, int] = {}
        self._next_looks: list[tuple[int, datetime]] = []

    def look(self) -> bool:
        """Look at some of what is due, each once; return whether there may be more."""
        began = elapsed()
        found = self._claim()
        if not found:
            return False
        drifted = self._drifted(found)
        looked: list[Looked] = []
        for each in found:
            # One at least, however long it took to get here.
            if not self._may_go_on() or (looked and elapsed() - began > TURN):
                looked.append(Looked(due=each.due, again_at=each.due.next_look_at))
                continue
            looked.append(self._look_at(each, drifted=each.due.rollout_id in drifted))
        try:
            return self._end(looked)
        finally:
            self._batch.ended(taken=len(found), seconds=elapsed() - began)

    def take_next_looks(self) -> list[tuple[int, datetime]]:
        """Return when the rollouts just looked at want to be looked at again, once."""
        taken, self._next_looks = self._next_looks, []
        return taken

    def _claim(self) -> list[Look]:
        asked_at, claimant = elapsed(), self._leases.claimant()
        if not self._services.ask(lambda unit: looking.any_due(unit, claimant), ENGINE):
            return []
        with self._services.unit(ENGINE, write=True) as unit:
            found = looking.claim(unit, claimant, self._known, limit=self._batch.size)
        for each in found:
            self._leases.hold(each.due.rollout_id, each.due.lease_token, asked_at=asked_at)
        return found

    def _drifted(self, found: list[Look]) -> frozenset[int]:
        """Return the rollouts whose flag is not as they left it, of those to be checked."""
        now = self._services.clock.now()
        checked = [
            each.record for each in found if each.record is not None and _is_to_check(each, now)
        ]
        if not checked:
            return frozenset()
        return self._services.ask(lambda unit: drift.drifted(unit, checked), ENGINE)

    def _look_at(self, look: Look, *, drifted: bool) -> Looked:
        number = look.due.rollout_id
        with self._complaints.about(f"rollout {number}") as attempt:
            looked = self._looked(look, drifted=drifted)
        if attempt.good:
            self._failures.pop(number, None)
            return looked
        return self._later(look)

    def _looked(self, look: Look, *, drifted: bool) -> Looked:
        if look.error is not None:
            raise look.error
        if look.record is None:
            return Looked(due=look.due)
        if drifted:
            self._correct(look.record)
        return self._advance(look, look.record)

    def _advance(self, look: Look, record: RolloutRecord) -> Looked:
        due, checked = look.due, _is_to_check(look, self._services.clock.now())
        for _ in range(MOST_MOVES):
            event = observe(self._services, self._world, self._inquiries, record)
            now = self._services.clock.now()
            after, effects = advance(record.rollout, event, now)
            if not effects and after == record.rollout:
                return Looked(due=due, record=record, checked=checked)
            if not effects and _only_read(record.rollout, after):
                return Looked(due=due, record=record, read=after, checked=checked)
            if not self._may_go_on() or not self._leases.is_sure(due.rollout_id):
                return Looked(due=due, again_at=now)
            moved = self._move(record, event)
            if moved is None:
                return Looked(due=due, again_at=now)
            checked = checked or bool(effects)
            if moved.rollout.phase.finished or _only_read(record.rollout, moved.rollout):
                return Looked(due=due, record=moved, checked=True)
            record = moved
        return Looked(due=due, record=record, again_at=now, checked=True)

    def _move(self, record: RolloutRecord, event: Event) -> RolloutRecord | None:
        """Return the moved rollout, or `None` when somebody else moved it or it had to pause."""
        try:
            return self._step(record, event)
        except Conflict:
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

    def _correct(self, record: RolloutRecord) -> None:
        with self._services.unit(ENGINE, write=True) as unit:
            drift.correct(unit, record)

    def _end(self, looked: list[Looked]) -> bool:
        """End looks together or, when one of them is in the way of all, each by itself.

        Return whether the database took it.
        """
        try:
            self._write_all(looked)
        except Unavailable as exc:
            log.warning("looks of %d rollouts are taken again: %s", len(looked), exc)
            return False
        except Exception:  # noqa: BLE001 - the one that is broken says so below
            for each in looked:
                with self._complaints.about(f"rollout {each.due.rollout_id}") as attempt:
                    self._write_all([each])
                if not attempt.good:
                    self._write_all([self._later(each)])
        finally:
            for each in looked:
                self._leases.drop(each.due.rollout_id)
        return True

    def _write_all(self, looked: list[Looked]) -> None:
        soonest = self._services.clock.after(SOONEST)
        with self._services.unit(ENGINE, write=True) as unit:
            ended = looking.end(unit, looked, not_before=soonest)
        self._next_looks += ended.next_looks
        seen = {each.record.rollout.id: each.record for each in looked if each.record is not None}
        self._remember(seen | {each.rollout.id: each for each in ended.written})

    def _later(self, look: Look | Looked) -> Looked:
        """Return that the rollout is to be looked at again, the later the more often it failed."""
        number = look.due.rollout_id
        failures = self._failures[number] = self._failures.get(number, 0) + 1
        wait = min(FIRST_BACK_OFF * 2 ** min(failures - 1, 20), LONGEST_BACK_OFF)
        return Looked(due=look.due, again_at=self._services.clock.after(wait))

    def _remember(self, seen: dict[int, RolloutRecord]) -> None:
        for number, record in seen.items():
            self._known.pop(number, None)
            if not record.rollout.phase.finished:
                self._known[number] = record
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]


def _is_to_check(look: Look, now: datetime) -> bool:
    check_at = look.due.check_at
    early = timedelta() if look.record is None else leeway(look.record.rollout)
    return check_at is not None and check_at - early <= now


def _only_read(before: Rollout, after: Rollout) -> bool:
    """Return whether guards were read and nothing else: nothing more moves before the next look."""
    return before.watches != after.watches and replace(before, watches=after.watches) == after
