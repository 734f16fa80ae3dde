"""What does one poll tell us about those with the flag and those without?"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What happened on one side: `bad` ones of `total`.

    `total` is an exposure: requests, finished jobs, or actors who have not failed yet. `bad` may be
    above it when the two come from different sources, as errors reported per request do.

    Raises:
        ValueError: a number is negative or none at all, or something is bad of nothing.
    """

    total: float = 0
    bad: float = 0

    def __post_init__(self) -> None:
        if not (isfinite(self.total) and isfinite(self.bad) and self.total >= 0 <= self.bad):
            raise ValueError(f"{self.bad} bad of {self.total} is no count: count from 0 up")
        if self.bad and not self.total:
            raise ValueError(f"{self.bad} bad of none: the exposure is missing")

    def __add__(self, other: Tally) -> Tally:
        """Return both together."""
        return Tally(total=self.total + other.total, bad=self.bad + other.bad)

    @property
    def is_share(self) -> bool:
        """Return whether these are whole numbers, and no more bad than there are."""
        return self.bad <= self.total and self.total % 1 == 0 and self.bad % 1 == 0

    @property
    def rate(self) -> float:
        """Return the share that is bad, 0 when there is nothing."""
        return self.bad / self.total if self.total else 0.0


NOTHING = Tally()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """One committed poll: what happened since the one before, in both cohorts.

    Args:
        poll: its number, counting up; a number seen before changes nothing.
        elapsed: seconds from the beginning of the watch to the end of the poll.
        stage: counts up whenever the share of people with the flag changes. A poll lies in one
            stage: readers cut it at the change.
        units: actors or hosts, each once in a rollout, that were bad for the first time with the
            flag on; none when the source cannot tell.
        new: how many came into the stage in the poll, on and off, where `total` of both sides is a
            level, as actors at risk are; none where it is what happened in the poll.
    """

    poll: int
    elapsed: float
    stage: int = 0
    treatment: Tally = NOTHING
    control: Tally = NOTHING
    units: int | None = None
    new: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A poll that told nothing: a time-out, NaN, partial or late data; `reason` says which."""

    poll: int
    elapsed: float
    stage: int = 0
    reason: str


Reading = Counts | Missing
