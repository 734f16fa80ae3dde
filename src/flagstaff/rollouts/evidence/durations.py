"""How does evidence about durations grow, poll by poll?

Ranks see that calls as a whole are slower, and are blind to a few that are much slower; counting
the calls above a bound sees those. Both are bet on, and their mean is evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log

from flagstaff.rollouts.evidence.bets import Bets, Direction, harm_bets
from flagstaff.rollouts.evidence.counts import NOTHING, Missing, Tally
from flagstaff.rollouts.evidence.likelihood import hypergeometric
from flagstaff.rollouts.evidence.logspace import log_add, log_of, log_sum
from flagstaff.rollouts.evidence.onset import USUAL, Onset
from flagstaff.rollouts.evidence.ranks import EFFECTS, LOG_STAKES, pairs_won, rank_gains
from flagstaff.rollouts.evidence.standing import Response, Standing

RANKS = Bets(log_stakes=LOG_STAKES, log_ratios=(), ratios=())
EVEN = (0.0,) * len(EFFECTS)

LEAST_CALLS = 24
"""Polls of a stage are ranked together until they hold so many: ranking among n calls throws away
about 2 / n of what they tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """One committed poll: how long each call took, in seconds.

    `poll`, `elapsed` and `stage` are those of `Counts`. A call that is still running after the
    deadline counts as having taken that long, or the slowest would be missing.
    """

    poll: int
    elapsed: float
    stage: int = 0
    treatment: tuple[float, ...] = ()
    control: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationGuard:
    """Calls with the flag on must not be slower than those with it off.

    Args:
        name: how people call it.
        noun: what took so long.
        with_on: which of the two sides must not be slower, as people call it.
        margin: how many times as long is nothing to act on, 1 or more.
        safe_margin: how many times as long must be excluded before a stage is over, above 1.
        bounds: durations in seconds above which a call is slow, from small to large; may be empty.
        min_calls: calls with the flag on before anything is harm.
        false_harm: chance of a rollback without harm, for all guards of a rollout together.
        share: this guard's part of that, above 0 and at most 1.
        false_safe: chance that a stage is called safe when it is not.
        missing_polls: polls without data in a row after which there is none.

    `onset`, `required`, `dry_run` and `on_harm` are those of `RatioGuard`.
    """

    name: str
    noun: str = "calls"
    with_on: str = "with the flag on"
    margin: float = 1.1
    safe_margin: float = 2.0
    bounds: tuple[float, ...] = ()
    min_calls: int = 20
    false_harm: float = 0.05
    share: float = 1.0
    false_safe: float = 0.1
    missing_polls: int = 3
    onset: Onset = USUAL
    required: bool = True
    dry_run: bool = False
    on_harm: Response = Response.ROLLBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationEvidence:
    """Everything a guard on durations knows.

    `ranks`, `safe` and `slow` (one group for each bound) are log likelihood ratios of the bets.
    `won` of `pairs` comparisons within polls were longer with the flag on. `open` durations wait to
    be compared. The tallies count calls above the largest bound.
    """

    poll: int = -1
    elapsed: float = 0.0
    stage: int = 0
    stages: int = 0
    stage_began: float = 0.0
    unstaked: float = 1.0
    ranks: tuple[float, ...] = ()
    slow: tuple[tuple[float, ...], ...] = ()
    safe: tuple[float, ...] = EVEN
    won: float = 0.0
    pairs: float = 0.0
    open_treatment: tuple[float, ...] = ()
    open_control: tuple[float, ...] = ()
    treatment: Tally = NOTHING
    control: Tally = NOTHING
    missing: int = 0
    reason: str = ""
    harmful_at: float | None = None


def advance_durations(
    state: DurationEvidence, seen: Durations | Missing, guard: DurationGuard
) -> DurationEvidence:
    """Return the evidence after one poll; one that is not newer than the last changes nothing."""
    if seen.poll <= state.poll:
        return state
    if seen.stage != state.stage:
        begun = state.poll >= 0
        state = replace(
            _close(state, guard),
            stage=seen.stage,
            stages=state.stages + begun,
            stage_began=state.elapsed,
            safe=EVEN,
        )
    state = replace(state, poll=seen.poll, elapsed=seen.elapsed)
    if isinstance(seen, Missing):
        return replace(state, missing=state.missing + 1, reason=seen.reason)
    state = _stake(state, guard)
    state = replace(
        state,
        open_treatment=state.open_treatment + seen.treatment,
        open_control=state.open_control + seen.control,
        treatment=state.treatment + above(seen.treatment, guard.bounds[-1:]),
        control=state.control + above(seen.control, guard.bounds[-1:]),
        missing=0,
        reason="",
    )
    if len(state.open_treatment) + len(state.open_control) >= LEAST_CALLS:
        state = _close(state, guard)
    proven = log_slower(state) >= -log(guard.false_harm * guard.share)
    if state.harmful_at is None and proven and state.treatment.total >= guard.min_calls:
        return replace(state, harmful_at=seen.elapsed)
    return state


def above(durations: tuple[float, ...], bounds: tuple[float, ...]) -> Tally:
    """Return how many calls there were, and how many took longer than the one bound, if any."""
    slow = sum(each > bound for each in durations for bound in bounds)
    return Tally(total=len(durations), bad=slow)


def log_slower(state: DurationEvidence) -> float:
    """Return the logarithm of the evidence that calls with the flag on are slower.

    Ranks have one half of the say, the bounds share the other.
    """
    if not state.ranks:
        return 0.0
    unstaked = log_of(state.unstaked)
    ranks = RANKS.value(state.ranks, unstaked)
    if not state.slow:
        return ranks
    bets = harm_bets(1.0, Direction.UP)
    bounds = log_sum(bets.value(logs, unstaked) for logs in state.slow) - log(len(state.slow))
    return log_add(ranks, bounds) - log(2.0)


def log_credible_slower(state: DurationEvidence, guard: DurationGuard) -> float:
    """Return the logarithm of what this guard adds to the evidence of several."""
    evidence = log_slower(state)
    return evidence if state.treatment.total >= guard.min_calls else min(evidence, 0.0)


def log_faster(state: DurationEvidence) -> float:
    """Return the logarithm of the evidence, in this stage, that they are within the safe margin."""
    return RANKS.value(state.safe)


def duration_standing(
    state: DurationEvidence, guard: DurationGuard, max_time: float | None = None
) -> Standing:
    """Return where the guard stands; `max_time` in seconds is how long a stage may be undecided."""
    if state.harmful_at is not None:
        return Standing.HARMFUL
    if state.missing >= guard.missing_polls:
        return Standing.NO_DATA
    if log_faster(state) >= -log(guard.false_safe):
        return Standing.HEALTHY
    if max_time is not None and state.elapsed - state.stage_began >= max_time:
        return Standing.INCONCLUSIVE
    return Standing.COLLECTING


def _stake(state: DurationEvidence, guard: DurationGuard) -> DurationEvidence:
    left = min(state.unstaked, guard.onset.unstaked(state.elapsed, state.stages))
    fresh = log_of(state.unstaked - left)
    bets = len(harm_bets(1.0, Direction.UP).log_stakes)
    if not state.ranks:
        slow = ((fresh,) * bets,) * len(guard.bounds)
        return replace(state, unstaked=left, ranks=(fresh,) * len(EFFECTS), slow=slow)
    return replace(
        state,
        unstaked=left,
        ranks=tuple(log_add(each, fresh) for each in state.ranks),
        slow=tuple(tuple(log_add(each, fresh) for each in logs) for logs in state.slow),
    )


def _close(state: DurationEvidence, guard: DurationGuard) -> DurationEvidence:
    """Compare what is open. With the margin, control calls count as that much longer."""
    on, off = state.open_treatment, state.open_control
    if not state.ranks or not (on or off):
        return state
    longer = tuple(each * guard.margin for each in off)
    gains = rank_gains(on, longer)
    safer = rank_gains(on, tuple(each * guard.safe_margin for each in off), slower=False)
    bets = harm_bets(1.0, Direction.UP)
    slow = []
    for logs, bound in zip(state.slow, guard.bounds, strict=True):
        sides = above(on, (bound,)), above(longer, (bound,))
        gained = bets.gains(hypergeometric(*sides, bets.log_ratios, bets.ratios))
        slow.append(_sum(logs, gained))
    return replace(
        state,
        ranks=_sum(state.ranks, gains),
        safe=_sum(state.safe, safer),
        slow=tuple(slow),
        won=state.won + pairs_won(on, off),
        pairs=state.pairs + len(on) * len(off),
        open_treatment=(),
        open_control=(),
    )


def _sum(logs: tuple[float, ...], gains: list[float]) -> tuple[float, ...]:
    return tuple(log + gain for log, gain in zip(logs, gains, strict=True))
