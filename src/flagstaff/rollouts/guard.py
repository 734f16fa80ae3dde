"""What is a guard told to watch, what does it read, and what does it say?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flagstaff.rollouts.evidence.actors import Crowd
from flagstaff.rollouts.evidence.message import length
from flagstaff.rollouts.evidence.standing import Response, Standing, Verdict
from flagstaff.rollouts.query import NOWHERE, RETRIED, WAITS, Place, Query

__all__ = [
    "Arm",
    "Counting",
    "Exposed",
    "Guard",
    "Judgement",
    "Kept",
    "Measurement",
    "Response",
    "Standing",
    "Verdict",
]


class Counting(StrEnum):
    """What a guard counts: every call, or each actor's first failure in the rollout."""

    CALLS = "calls"
    ACTORS = "actors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A comparison of failure rates that is watched while people are exposed.

    Args:
        logs: patterns of JSON job logs, relative to the project; none with a `query`.
        control: the job names, or the label, that count as "flag off".
        treatment: the job names, or the label, that count as "flag on".
        harm_ratio: treatment rate divided by control rate up to which nothing is to be done.
        safe_below: failure rate that is safe whatever the control does; 0 for none.
        harm_above: failure rate that is harm when no job runs under the control names any more.
        against_baseline: whether, where no job runs under the control names any more, far more
            failures than before keep a wait from ending.
        min_bad: failures under the treatment names before anything is harm.
        min_excess: difference of the two rates below which nothing is to be done.
        weight: how much the guard matters beside others.
        required: no wait ends before this guard shows safety.
        dry_run: shown, never decides.
        on_harm: `ROLLBACK`, `HOLD` or `NOTIFY`.
        max_time: how long a wait may go on undecided; `None` for ever.
        on_inconclusive: `HOLD`, or `ADVANCE` with the step marked as unproven.
        query: what a metric source is asked; none for job logs.
        counts: what is counted, as people call it.
        on_no_data: `HOLD`, or `ROLLBACK` once there was no data for half an hour.
        split: whether those with the flag on must be as many as the percentage says: hold when
            they are not, roll back when none come any more.
        slower_than: seconds above which something counts as bad; 0 where failures do.
        unit: whether calls are counted, or each actor once.
        ranked: whether every single duration is compared with those of the other side, in pairs,
            instead of counting what is bad.
    """

    name: str
    logs: tuple[str, ...]
    control: tuple[str, ...]
    treatment: tuple[str, ...]
    harm_ratio: float = 1.1
    safe_below: float = 0.01
    harm_above: float = 0.5
    against_baseline: bool = False
    min_bad: int = 5
    min_excess: float = 0.0005
    weight: float = 1.0
    required: bool = True
    dry_run: bool = False
    on_harm: Response = Response.ROLLBACK
    max_time: timedelta | None = None
    on_inconclusive: Response = Response.HOLD
    query: Query | None = None
    counts: str = "jobs"
    on_no_data: Response = Response.HOLD
    split: bool = False
    slower_than: float = 0.0
    unit: Counting = Counting.CALLS
    ranked: bool = False

    @property
    def by_actor(self) -> bool:
        """Return whether each actor is counted once."""
        return self.unit is Counting.ACTORS

    @property
    def with_on(self) -> str:
        """Return how people call the side with the flag on."""
        return "under the new names" if self.query is None else "with the flag on"

    @property
    def with_off(self) -> str:
        """Return how people call the other side."""
        return "under the old names" if self.query is None else "with the flag off"

    @property
    def went_badly(self) -> str:
        """Return what is said of those that count as bad."""
        if self.by_actor:
            return self._met
        if self.ranked:
            return "took longer"
        if self.slower_than:
            took = "waited" if self._asked == WAITS else "took"
            return f"{took} over {length(self.slower_than)}"
        return "were tried again" if self._asked == RETRIED else "failed"

    @property
    def go_badly(self) -> str:
        """Return the same of what may happen."""
        if self.by_actor:
            return self._met.replace("had", "have", 1)
        if self.ranked:
            return "take longer"
        if self.slower_than:
            take = "wait" if self._asked == WAITS else "take"
            return f"{take} over {length(self.slower_than)}"
        return "are tried again" if self._asked == RETRIED else "fail"

    @property
    def noun(self) -> str:
        """Return what is counted, as it reads after "5 of 90" that are bad."""
        if self.by_actor:
            return f"{self.counts} {self.with_on}"
        fails = not (self.slower_than or self.ranked or self._asked == RETRIED)
        return self.counts if fails else f"{self.counts} {self.went_badly}"

    @property
    def harmed(self) -> str:
        """Return what bad ones are called."""
        if self.slower_than:
            return f"{'late' if self._asked == WAITS else 'slow'} {self.counts}"
        return "retries" if self._asked == RETRIED else "failures"

    @property
    def _met(self) -> str:
        """Return what befell an actor that counts."""
        if self.slower_than:
            return f"had to wait over {length(self.slower_than)}"
        return "had a redirect" if self._asked == "302" else "had a failure"

    @property
    def _asked(self) -> str:
        """Return the kind that workers report, when it is the built-in source that is asked."""
        return self.query.bad if self.query is not None and self.query.flag else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What was counted on one side of the comparison, such as jobs, and how much of it was bad.

    Bad is what failed, or what took too long.
    """

    total: int = 0
    failed: int = 0

    def __add__(self, other: Arm) -> Arm:
        """Return both together."""
        return Arm(total=self.total + other.total, failed=self.failed + other.failed)

    def __sub__(self, other: Arm) -> Arm:
        """Return what came since `other` was counted."""
        return Arm(total=self.total - other.total, failed=self.failed - other.failed)

    @property
    def rate(self) -> float:
        """Return failures as a share of finished jobs, 0 when there are none."""
        return self.failed / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One reading of a guard, since watching began; `error` says why there is none.

    `baseline` are the jobs under the control names before that: no control in the proper sense, for
    they did not run at the same time. `place` is how far the source was read; `behind` how many
    changes of the flag in production came later than what is counted here. The crowds are both
    sides as they are now, where actors are counted; the durations, in seconds, what single jobs
    took that are counted here and not yet in the evidence, where these are compared.
    """

    guard: str
    treatment: Arm = Arm()
    control: Arm = Arm()
    baseline: Arm = Arm()
    error: str = ""
    place: Place | None = None
    behind: int = 0
    on_crowd: Crowd | None = None
    off_crowd: Crowd | None = None
    on_durations: tuple[float, ...] = ()
    off_durations: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """The totals of both sides that are in the evidence of a guard, and the real time they had."""

    treatment: int
    control: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a source has to know of a guard to read on where the evidence ends, in real time.

    Args:
        since: when watching began.
        changes: when the flag changed in production, in order.
        treatment: counts that are in the evidence.
        control: the same of the other side.
        place: how far those go.
        exposed: totals of another guard, where the source knows of failures only.
    """

    since: datetime
    changes: tuple[datetime, ...] = ()
    treatment: Arm = Arm()
    control: Arm = Arm()
    place: Place = NOWHERE
    exposed: Exposed | None = None

    def read_up_to(self, latest: datetime) -> datetime:
        """Return up to when to read next: a reading ends where the flag changed."""
        begins = self.place.at or self.since
        cuts = [each for each in self.changes if begins < each < latest]
        return min(cuts, default=latest)

    def behind(self, at: datetime) -> int:
        """Return how many changes of the flag are not before `at`."""
        return sum(each >= at for each in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a guard says, with the numbers behind it and in words.

    `ratio` lies between `low` and `high` with a confidence of 95 % however often one looks; `high`
    is none when nothing bounds it. `harm` and `safe` are evidence to 1, with what is asked for.
    `longer` is the share of pairs in which the one with the flag on took longer, 0 to 1, where
    durations are compared in pairs and there was one.
    """

    guard: str
    verdict: Verdict
    evidence: str
    measurement: Measurement
    standing: Standing = Standing.COLLECTING
    ratio: float | None = None
    low: float = 0.0
    high: float | None = None
    harm: float = 1.0
    harm_limit: float = 20.0
    safe: float = 1.0
    safe_limit: float = 10.0
    safe_ratio: float = 4.0
    longer: float | None = None
