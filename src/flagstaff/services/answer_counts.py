"""How often did a flag answer on and off, over time?

Kept in memory only, for the last day; of more flags than fit, those that nobody has asked for
longest are forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SLOT = timedelta(minutes=5)
KEPT = timedelta(days=1)
MOST_SLOTS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCount:
    """How often a flag answered in one environment between `at` and `SLOT` later."""

    environment: str
    at: datetime
    on: int = 0
    off: int = 0


class AnswerCounts:
    """Adds up reports by the time at which they came; not safe to use from several threads."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, str, int], tuple[int, int]] = OrderedDict()

    def add(self, flag: str, environment: str, at: datetime, *, value: bool, count: int) -> None:
        """Count so many answers."""
        key = (flag, environment, int(at.timestamp() // SLOT.total_seconds()))
        on, off = self._counts.get(key, (0, 0))
        self._counts[key] = (on + count, off) if value else (on, off + count)
        self._counts.move_to_end(key)
        while len(self._counts) > MOST_SLOTS:
            self._counts.popitem(last=False)

    def of(self, flag: str) -> list[AnswerCount]:
        """Return what is known of a flag for the day before its newest answer, oldest first."""
        found = [
            AnswerCount(environment=place, at=_begin(slot), on=on, off=off)
            for (name, place, slot), (on, off) in self._counts.items()
            if name == flag
        ]
        newest = max((each.at for each in found), default=None)
        if newest is None:
            return []
        return sorted(
            (each for each in found if newest - each.at < KEPT),
            key=lambda each: (each.environment, each.at),
        )


def filled(counts: Iterable[AnswerCount]) -> list[AnswerCount]:
    """Return the counts of one environment, oldest first, with a zero where nobody asked."""
    found: list[AnswerCount] = []
    for each in counts:
        while found and each.at - found[-1].at > SLOT:
            found.append(AnswerCount(environment=each.environment, at=found[-1].at + SLOT))
        found.append(each)
    return found


def _begin(slot: int) -> datetime:
    return datetime.fromtimestamp(slot * SLOT.total_seconds(), UTC)
