"""What does the evidence say about a guard right now?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import log

from flagstaff.rollouts.evidence.below import evidence_below
from flagstaff.rollouts.evidence.bets import Direction
from flagstaff.rollouts.evidence.confidence import Interval, difference, ratio_interval
from flagstaff.rollouts.evidence.counts import Tally
from flagstaff.rollouts.evidence.logspace import log_add
from flagstaff.rollouts.evidence.ratio import (
    Evidence,
    evidence_ratio,
    log_harm,
    log_harm_limit,
    log_safe,
)
from flagstaff.rollouts.evidence.settings import RatioGuard
from flagstaff.rollouts.evidence.standing import Standing, Verdict

MISS = 0.05
"""Chance that an interval shown to people is ever wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A guard's standing with the numbers behind it.

    `harm` and `harm_limit` are evidence to 1, `safe` and `safe_limit` that of the stage. `extra` is
    how many more were bad than expected, `ratio` and `difference` hold at all times at once.
    """

    guard: str
    standing: Standing
    harm: float
    harm_limit: float
    safe: float
    safe_limit: float
    ratio: Interval
    difference: Interval
    extra: float
    treatment: Tally
    control: Tally
    noun: str
    reason: str = ""

    @property
    def verdict(self) -> Verdict:
        """Return the standing as the verdict of a single reading."""
        return self.standing.verdict


@lru_cache(maxsize=16)  # asked once for the numbers and once for the words, and it is not cheap
def judge(
    state: Evidence,
    guard: RatioGuard,
    max_time: float | None = None,
    *,
    standing_is: Standing | None = None,
) -> Finding:
    """Return what `state` says.

    Args:
        state: everything seen so far.
        guard: what to look for.
        max_time: seconds a stage may stay undecided; none for ever.
        standing_is: where the guard stands, when the caller knows more than the evidence does.
    """
    return Finding(
        guard=guard.name,
        standing=standing(state, guard, max_time) if standing_is is None else standing_is,
        harm=evidence_ratio(log_harm(state, guard)),
        harm_limit=evidence_ratio(log_harm_limit(guard)),
        safe=evidence_ratio(log_any_safe(state, guard)),
        safe_limit=1.0 / guard.false_safe,
        ratio=ratio_interval(state.curve, MISS),
        difference=difference(ratio_interval(state.curve, MISS / 2), state.control, MISS),
        extra=state.extra,
        treatment=state.treatment,
        control=state.control,
        noun=guard.noun,
        reason=state.reason,
    )


def standing(state: Evidence, guard: RatioGuard, max_time: float | None = None) -> Standing:
    """Return where the guard stands; harm stays, safety is asked anew each time."""
    if state.harmful_at is not None:
        return Standing.HARMFUL
    silent = state.elapsed - state.last_data
    if state.missing >= guard.missing_polls or (state.missing and silent >= guard.missing_time):
        return Standing.NO_DATA
    if log_any_safe(state, guard) >= -log(guard.false_safe):
        return Standing.HEALTHY
    if max_time is not None and state.elapsed - state.stage_began >= max_time:
        return Standing.INCONCLUSIVE
    return Standing.COLLECTING


def log_any_safe(state: Evidence, guard: RatioGuard) -> float:
    """Return the logarithm of the evidence that the stage is safe, by either route.

    Each route has half the say: the mean of two evidences is evidence against both at once.
    """
    ratio = log_safe(state, guard)
    if not guard.safe_below or guard.direction is not Direction.UP:
        return ratio
    level = evidence_below(state.stage_treatment, guard.safe_below)
    return log_add(ratio, level) - log(2.0)
