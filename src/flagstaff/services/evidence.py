"""How has the evidence of a rollout's guards grown since it began?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log

from flagstaff.commands.moments import parse_moment
from flagstaff.errors import NotFound
from flagstaff.rollouts.event import Event, Observed
from flagstaff.rollouts.evidence.ratio import Evidence
from flagstaff.rollouts.guard import Judgement
from flagstaff.rollouts.judging import judgements
from flagstaff.rollouts.rollout import Rollout
from flagstaff.rollouts.watching import read
from flagstaff.services.finding import find_rollout
from flagstaff.services.unit import Unit
from flagstaff.store import evidence as store
from flagstaff.store.evidence import Point

__all__ = ["GuardHistory", "Point", "history", "keep", "points", "points_of_move"]

LEAST = 1e-300
"""Evidence whose logarithm is still a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardHistory:
    """What one guard said, oldest first: the older, the further apart.

    `harm_ratio` is the ratio up to which nothing is to be done, `counts` what is counted, `ranked`
    whether durations are compared in pairs, so that nothing is bad.
    """

    guard: str
    harm_ratio: float
    counts: str
    points: tuple[Point, ...]
    ranked: bool = False


def points(
    before: Rollout, after: Rollout, readings: Sequence[Judgement], now: datetime
) -> list[Point]:
    """Return what there is to keep of the guards that had a poll in between."""
    polls = {each.guard: each.evidence.poll for each in before.watches}
    said = {each.guard: each for each in readings}
    return [
        _point(before, said[each.guard], each.evidence, now)
        for each in after.watches
        if each.evidence.poll > polls.get(each.guard, -1) and each.guard in said
    ]


def points_of_move(
    before: Rollout, event: Event, after: Rollout, readings: Sequence[Judgement], now: datetime
) -> list[Point]:
    """Return what there is to keep of the poll that moved a rollout.

    One that is put back forgets what its guards have seen, and one that opens the flag further
    looks on from there. Why it did so is seen as it stood before: that poll is counted once more.
    """
    same = (
        after.watch_since == before.watch_since
        and after.production_changes == before.production_changes
    )
    if same or not isinstance(event, Observed):
        return points(before, after, readings, now)
    seen = read(before, event.measurements, now, cut=True)
    return points(before, seen, judgements(seen, now), now)


def keep(unit: Unit, found: Sequence[Point]) -> None:
    """Write down what guards said, in the transaction in which it enters the evidence."""
    store.keep(unit.connection, found)


def history(
    unit: Unit, number: int, *, guard: str = "", since: str = ""
) -> tuple[GuardHistory, ...]:
    """Return what is kept of each guard of a rollout, or of one.

    Args:
        unit: the transaction.
        number: the rollout's.
        guard: the name of a guard; empty for all.
        since: a moment, or how long ago; empty for all that is kept.

    Raises:
        NotFound: there is no such rollout, or it has no such guard.
        UsageError: `since` is no moment.
    """
    plan = find_rollout(unit, number).rollout.plan
    known = [each.name for each in plan.guards]
    if guard and guard not in known:
        raise NotFound(
            f"rollout {number} has no guard {guard}",
            hint=f"it has {', '.join(known)}" if known else "it has none at all",
        )
    moment = parse_moment(since, now=unit.now) if since else None
    found = store.find(unit.connection, number, guard=guard or None, since=moment)
    return tuple(
        GuardHistory(
            guard=each.name,
            harm_ratio=each.harm_ratio,
            counts=each.counts,
            points=tuple(point for point in found if point.guard == each.name),
            ranked=each.ranked,
        )
        for each in plan.guards
        if guard in {"", each.name}
    )


def _point(rollout: Rollout, said: Judgement, state: Evidence, now: datetime) -> Point:
    return Point(
        rollout_id=rollout.id,
        began=int((rollout.watch_since or now).timestamp()),
        guard=said.guard,
        poll=state.poll,
        at=now,
        stage=state.stage,
        percentage=rollout.percentage,
        standing=said.standing,
        treatment=said.measurement.treatment,
        control=said.measurement.control,
        ratio=said.ratio,
        low=said.low,
        high=said.high,
        harm=_log(said.harm),
        harm_limit=_log(said.harm_limit),
        safe=_log(said.safe),
        safe_limit=_log(said.safe_limit),
    )


def _log(evidence: float) -> float:
    return log(max(evidence, LEAST))
