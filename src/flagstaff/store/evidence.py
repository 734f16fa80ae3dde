"""How has the evidence of each guard grown, poll by poll?

Every poll has a slot, and a later one takes the slot of an older one, so a watch never has more
than a few hundred rows however long it lasts: the older, the further apart. See `slot_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from flagstaff.rollouts.guard import Arm, Standing
from flagstaff.store.tables import evidence as table
from flagstaff.store.upsert import upsert_all

KEPT: Final = 32
"""So many polls are kept of each distance; two that are kept lie no further apart than the
`KEPT`th part of their age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a guard said after one poll.

    `began` is when watching did, in seconds; it does so anew when a stage is put back. `poll`,
    `treatment` and `control` are counted from there. `harm` and `safe` are logarithms of evidence
    to 1, as are their limits. `percentage` is how far the flag was open in production.
    """

    rollout_id: int
    began: int
    guard: str
    poll: int
    at: datetime
    stage: int
    percentage: float
    standing: Standing
    treatment: Arm
    control: Arm
    ratio: float | None
    low: float
    high: float | None
    harm: float
    harm_limit: float
    safe: float
    safe_limit: float

    @property
    def known(self) -> bool:
        """Return whether the ratio says anything: both sides were seen, and something failed."""
        return self.ratio is not None and bool(self.treatment.failed or self.control.failed)

    @property
    def harm_to_one(self) -> float:
        """Return the evidence for harm to 1."""
        return exp(self.harm)

    @property
    def safe_to_one(self) -> float:
        """Return the evidence for safety to 1."""
        return exp(self.safe)


def slot_of(poll: int) -> int:
    """Return the place of a poll, numbered from 0; those before it in the same place are gone.

    The polls that 2 divides just so often share `KEPT` places in turn. So every poll is there of
    the last few, every second of those before, every fourth of twice as many before, and so on.

    >>> [slot_of(poll) for poll in (0, 1, 2, 3)]
    [0, 32, 1, 64]
    >>> slot_of(0) == slot_of(2 * KEPT)
    True
    """
    number = poll + 1
    level = (number & -number).bit_length() - 1
    return level * KEPT + (number >> (level + 1)) % KEPT


def keep(connection: Connection, points: Sequence[Point]) -> None:
    """Write down what guards said, together."""
    upsert_all(connection, table, [_row(each) for each in points])


def find(
    connection: Connection,
    number: int,
    *,
    guard: str | None = None,
    since: datetime | None = None,
) -> list[Point]:
    """Return what is kept of a rollout's guards, oldest first."""
    query = select(table).where(table.c.rollout_id == number)
    if guard is not None:
        query = query.where(table.c.guard == guard)
    if since is not None:
        query = query.where(table.c.at >= since)
    ordered = query.order_by(table.c.at, table.c.began, table.c.poll)
    return [_point(row) for row in connection.execute(ordered)]


def _row(point: Point) -> dict[str, Any]:
    return {
        "rollout_id": point.rollout_id,
        "began": point.began,
        "guard": point.guard,
        "slot": slot_of(point.poll),
        "poll": point.poll,
        "at": point.at,
        "stage": point.stage,
        "percentage": point.percentage,
        "standing": point.standing.value,
        "treatment_total": point.treatment.total,
        "treatment_bad": point.treatment.failed,
        "control_total": point.control.total,
        "control_bad": point.control.failed,
        "ratio": point.ratio,
        "low": point.low,
        "high": point.high,
        "harm": point.harm,
        "harm_limit": point.harm_limit,
        "safe": point.safe,
        "safe_limit": point.safe_limit,
    }


def _point(row: Row[Any]) -> Point:
    return Point(
        rollout_id=row.rollout_id,
        began=row.began,
        guard=row.guard,
        poll=row.poll,
        at=row.at,
        stage=row.stage,
        percentage=row.percentage,
        standing=Standing(row.standing),
        treatment=Arm(total=row.treatment_total, failed=row.treatment_bad),
        control=Arm(total=row.control_total, failed=row.control_bad),
        ratio=row.ratio,
        low=row.low,
        high=row.high,
        harm=row.harm,
        harm_limit=row.harm_limit,
        safe=row.safe,
        safe_limit=row.safe_limit,
    )
