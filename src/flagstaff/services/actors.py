"""Whose first failures are counted in a rollout, and how many are there on each side?

A poll is what the tables hold now less what the evidence holds. Rows are never taken away while a
rollout lasts, so a reading that was never committed has changed nothing, and one after a restart
goes on where the evidence ends.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from flagstaff.errors import Unavailable
from flagstaff.flags.draw import Draw
from flagstaff.rollouts.evidence.actors import Crowd
from flagstaff.rollouts.guard import Arm, Counting, Guard, Kept, Measurement
from flagstaff.rollouts.query import Base, Place, Query
from flagstaff.rollouts.rollout import Rollout
from flagstaff.sdk.outcomes import slow_kind
from flagstaff.services.unit import Unit
from flagstaff.store import actors as store
from flagstaff.store import flags as store_flags
from flagstaff.store.actors import Report, Side
from flagstaff.store.flags import FlagState

__all__ = [
    "PRODUCTION",
    "News",
    "Report",
    "draw_of",
    "draws",
    "follow",
    "measure",
    "sweep",
    "take",
]

PRODUCTION: Final = "production"
SALT_BYTES: Final = 16
SILENT: Final = timedelta(seconds=60)
OFTEN: Final = timedelta(seconds=10)
"""How old a sign of life may be before the next is written down."""

NEVER: Final = datetime.min.replace(tzinfo=UTC)
MOST_SIGNS: Final = 10_000
"""Signs of life of which it is remembered when they were written."""

MICROSECONDS: Final = 1_000_000


class News:
    """Which reports say something that is to be written? Most only say that a process is there."""

    def __init__(self) -> None:
        self._written: dict[tuple[int, str, bool], datetime] = {}

    def found(self, reports: Sequence[Report], now: datetime) -> list[Report]:
        """Return those to be written; of signs of life one of each kind now and then."""
        if len(self._written) > MOST_SIGNS:
            self._written.clear()
        return [each for each in reports if self._is_due(each, now) or each.seen or each.failed]

    def _is_due(self, report: Report, now: datetime) -> bool:
        signs = [(report.rollout, kind, False) for kind in report.kinds]
        signs += [(report.rollout, kind, True) for kind in report.bare]
        due = [each for each in signs if now - self._written.get(each, NEVER) > OFTEN]
        self._written.update(dict.fromkeys(due, now))
        return bool(due)


def follow(unit: Unit, rollout: Rollout) -> None:
    """Give a rollout whose guards count actors a salt; forget everybody when the watch is over."""
    if rollout.phase.finished or rollout.merged:
        store.forget(unit.connection, rollout.id)
    elif rollout.watching and any(each.unit is Counting.ACTORS for each in rollout.plan.guards):
        store.begin(unit.connection, rollout.id, secrets.token_hex(SALT_BYTES))


def sweep(unit: Unit) -> None:
    """Forget everybody in rollouts that are over."""
    store.sweep(unit.connection)


def draws(unit: Unit, states: dict[str, FlagState]) -> dict[str, Draw]:
    """Return the draws of flags whose actors are counted, from their states in production."""
    return {
        flag: draw_of(rollout, salt, states[flag])
        for flag, (rollout, salt) in store.salts(unit.connection).items()
        if flag in states
    }


def take(unit: Unit, reports: Sequence[Report]) -> None:
    """Take in what one process noted; what belongs to no rollout under way is left aside."""
    under_way = {flag: number for flag, (number, _) in store.salts(unit.connection).items()}
    for each in sorted(reports, key=lambda report: report.rollout):
        state = store_flags.get(unit.connection, PRODUCTION, each.flag)
        if under_way.get(each.flag) != each.rollout or state is None:
            continue
        if each.draw > _number(state):
            continue  # no such draw was ever sent
        if not store.lock(unit.connection, each.rollout):
            continue
        store.hear(unit.connection, each.rollout, each.kinds, unit.wall)
        store.hear_bare(unit.connection, each.rollout, each.bare, unit.wall)
        known = store.kinds(unit.connection, each.rollout)
        failed = {kind: of for kind, of in each.failed.items() if kind in known}
        store.take(unit.connection, replace(each, failed=failed))


def measure(unit: Unit, rollout: Rollout, guard: Guard, kept: Kept) -> Measurement:
    """Return what a guard that counts actors has seen; what goes wrong is said in its `error`."""
    try:
        return _measured(unit, rollout, guard, kept)
    except Unavailable as exc:
        hint = f" ({exc.hint})" if exc.hint else ""
        return Measurement(guard=guard.name, error=f"{exc.message}{hint}")


def _measured(unit: Unit, rollout: Rollout, guard: Guard, kept: Kept) -> Measurement:
    state = store_flags.get(unit.connection, PRODUCTION, rollout.plan.flag)
    salt = store.salt(unit.connection, rollout.id)
    if state is None or not salt or guard.query is None:
        raise Unavailable(f"nobody is drawn for {rollout.plan.flag} in production")
    kind = kind_of(guard.query)
    _check_heard(unit, rollout, kind)
    draw = draw_of(rollout.id, salt, state)
    levels = store.levels(unit.connection, rollout.id, kind, draw.number)
    on, off = levels[True], levels[False]
    before_on, before_off = _before(kept.place, draw, "on"), _before(kept.place, draw, "off")
    bases = (*_bases(draw, "on", on, unit.wall), *_bases(draw, "off", off, unit.wall))
    return Measurement(
        guard=guard.name,
        treatment=kept.treatment + _news(on, before_on),
        control=kept.control + _news(off, before_off),
        place=Place(at=unit.wall, bases=bases),
        on_crowd=_crowd(on, before_on),
        off_crowd=_crowd(off, before_off),
    )


def kind_of(query: Query) -> str:
    """Return the kind of outcome that is bad for a guard on what applications report."""
    return slow_kind(query.bad, query.slower_than) if query.slower_than else query.bad


def _check_heard(unit: Unit, rollout: Rollout, kind: str) -> None:
    """Raise what is wrong with what applications report, if anything is.

    Raises:
        Unavailable: nobody says whose the outcomes are, or somebody does not.
    """
    heard_at, bare_at = store.heard(unit.connection, rollout.id, kind)
    flag = rollout.plan.flag
    if _lately(bare_at, unit.wall):
        raise Unavailable(
            f"an application counts {kind} with {flag} without saying whose they are",
            hint="give flags.outcome(…, actor=…) whom the flag was asked about, or write"
            " `unit: calls`",
        )
    if not _lately(heard_at, unit.wall):
        raise Unavailable(
            f"no application has reported whose {kind} there were with {flag} in production for "
            f"{SILENT.total_seconds():g} s",
            hint="count with OutcomesMiddleware or flags.outcome(…, actor=…) of this version's SDK,"
            " or write `unit: calls`",
        )


def _lately(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at <= SILENT


def draw_of(rollout: int, salt: str, state: FlagState) -> Draw:
    """Return the draw that a flag's state in production stands for: a later one is greater."""
    return Draw(rollout=rollout, salt=salt, number=_number(state))


def _number(state: FlagState) -> int:
    return round(state.updated_at.timestamp() * MICROSECONDS)


def _news(now: Side, before: Side) -> Arm:
    return Arm(total=max(0, now.people - before.people), failed=max(0, now.failed - before.failed))


def _crowd(now: Side, before: Side) -> Crowd:
    """Return the side in a poll: who failed in it was at risk until then."""
    failed_before = min(before.failed, now.failed)
    return Crowd(
        enrolled=now.people, failed_before=failed_before, failed_now=now.failed - failed_before
    )


def _before(place: Place, draw: Draw, side: str) -> Side:
    """Return what the evidence holds of a side under this draw."""
    values = {each.key: int(each.value) for each in place.bases}
    people, failed = (values.get(each, 0) for each in _keys(draw, side))
    return Side(people=people, failed=failed)


def _bases(draw: Draw, side: str, now: Side, at: datetime) -> tuple[Base, Base]:
    people, failed = _keys(draw, side)
    return (
        Base(key=people, value=now.people, at=at),
        Base(key=failed, value=now.failed, at=at),
    )


def _keys(draw: Draw, side: str) -> tuple[str, str]:
    return f"{draw.number} {side}", f"{draw.number} {side} failed"
