"""Is an environment frozen at a time, and until when?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flagstaff.definitions.policies import Freeze, QuietHours

MOST_IN_A_ROW = 100
"""Windows that follow each other without a gap; with more, no end is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Why nothing opens wider, and when that is over; `None` when it is not in sight."""

    reason: str
    until: datetime | None


def frozen(
    windows: Sequence[Freeze | QuietHours], environment: str, now: datetime
) -> Frozen | None:
    """Return why nothing opens wider in the environment now, or `None`.

    Windows that follow each other, or overlap, are one: what is said is when all of them are over.
    """
    there = [each for each in windows if environment in each.environments]
    reason, at = "", now
    for _ in range(MOST_IN_A_ROW):
        ends = {each: end for each in there if (end := each.ends(at)) is not None}
        if not ends:
            return Frozen(reason=reason, until=at) if reason else None
        last = max(ends, key=lambda each: ends[each])
        reason, at = reason or last.reason, ends[last]
    return Frozen(reason=reason, until=None)
