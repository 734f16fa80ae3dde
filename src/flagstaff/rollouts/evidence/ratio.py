"""How does evidence about a ratio of rates grow, poll by poll?

The state is a value. `advance_evidence` returns the next one, and the caller commits it together
with the poll's number and the reader's place: what was not committed has changed nothing, and what
was read twice counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp

from flagstaff.rollouts.evidence import curve as curves
from flagstaff.rollouts.evidence.bets import Bets, Direction, harm_bets, safe_bets
from flagstaff.rollouts.evidence.counts import NOTHING, Counts, Missing, Reading, Tally
from flagstaff.rollouts.evidence.likelihood import binomial, hypergeometric
from flagstaff.rollouts.evidence.logspace import log_add, log_of
from flagstaff.rollouts.evidence.onset import Onset
from flagstaff.rollouts.evidence.settings import Model, RatioGuard

LEAST_EXPOSURE = 12
"""Polls of a stage are put together until they hold so much, because comparing within n calls
throws away 1 / n of what they tell. Not across stages: there the share changes."""

HIGH_RATE = 0.05
"""Base rate from which the exact likelihood is worth its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything a guard knows, under 2 kB of JSON; every number is finite.

    `harm` and `safe` are log likelihood ratios of the bets, one group of `safe` for each side,
    `curve` the log likelihood of every ratio. `open` tallies wait to be compared; `stage` tallies
    began with the stage, the others with the watch. `expected` is how many would have been bad
    with the flag on at the rates seen with it off, poll by poll. `harmful_at` is when harm was
    shown, in seconds; it stays.
    """

    poll: int = -1
    elapsed: float = 0.0
    stage: int = 0
    stages: int = 0
    stage_began: float = 0.0
    unstaked: float = 1.0
    harm: tuple[float, ...] = ()
    safe: tuple[tuple[float, ...], ...] = ()
    curve: tuple[float, ...] = curves.FLAT
    open_treatment: Tally = NOTHING
    open_control: Tally = NOTHING
    stage_treatment: Tally = NOTHING
    treatment: Tally = NOTHING
    control: Tally = NOTHING
    expected: float = 0.0
    units: int | None = None
    last_data: float = 0.0
    missing: int = 0
    reason: str = ""
    harmful_at: float | None = None

    @property
    def extra(self) -> float:
        """Return how many more were bad with the flag on than at the rates seen with it off."""
        return self.treatment.bad - self.expected


def advance_evidence(state: Evidence, reading: Reading, guard: RatioGuard) -> Evidence:
    """Return the evidence after one poll; one that is not newer than the last changes nothing.

    Raises:
        ValueError: `guard.model` is `EXACT` and more is bad than there is.
    """
    if reading.poll <= state.poll:
        return state
    if reading.stage != state.stage:
        state = _next_stage(state, reading, guard)
    state = replace(state, poll=reading.poll, elapsed=reading.elapsed)
    if isinstance(reading, Missing):
        return replace(state, missing=state.missing + 1, reason=reading.reason)
    state = _compare(_gather(state, reading), reading.elapsed, guard)
    return _note_harm(state, guard)


def log_harm(state: Evidence, guard: RatioGuard) -> float:
    """Return the logarithm of the evidence that the flag does harm."""
    if not state.harm:
        return 0.0
    bets = harm_bets(guard.harm_ratio, guard.direction)
    return bets.value(state.harm, log_of(state.unstaked))


def log_harm_limit(guard: RatioGuard) -> float:
    """Return the logarithm of the evidence at which this guard alone proves harm."""
    return -log_of(guard.false_harm * guard.share)


def log_credible_harm(state: Evidence, guard: RatioGuard) -> float:
    """Return the logarithm of what this guard adds to the evidence of several.

    As long as harm is too small to act on, nothing but doubt: lowering evidence keeps its promise.
    """
    evidence = log_harm(state, guard)
    return evidence if harm_is_real(state, guard) else min(evidence, 0.0)


def harm_is_real(state: Evidence, guard: RatioGuard) -> bool:
    """Return whether there are enough bad events, units and difference to act on, besides proof."""
    total = state.treatment.total
    if not total:
        return False
    enough_units = state.units is None or state.units >= guard.min_units
    if guard.direction is Direction.UP:
        enough = state.treatment.bad >= guard.min_bad
        excess = state.extra
    else:
        enough = max(state.treatment.bad, state.expected) >= guard.min_bad
        excess = -state.extra if guard.direction is Direction.DOWN else abs(state.extra)
    return enough and enough_units and excess / total >= guard.min_excess


def _next_stage(state: Evidence, reading: Reading, guard: RatioGuard) -> Evidence:
    """Close what is open, forget what was safe for the stage before, keep the evidence of harm."""
    closed = _close(state, guard)
    return replace(
        closed,
        stage=reading.stage,
        stages=state.stages + (state.poll >= 0),
        stage_began=state.elapsed,
        safe=(),
        stage_treatment=NOTHING,
    )


def _gather(state: Evidence, counts: Counts) -> Evidence:
    on, off = counts.treatment, counts.control
    rate = off.rate if off.total else state.control.rate
    units = state.units
    if counts.units is not None:
        units = (units or 0) + counts.units
    new_on, new_off = counts.new or (on.total, off.total)
    exposed = on.total if off.total else new_on
    return replace(
        state,
        open_treatment=state.open_treatment + on,
        open_control=state.open_control + off,
        stage_treatment=_more(state.stage_treatment, new_on, on.bad),
        treatment=_more(state.treatment, new_on, on.bad),
        control=_more(state.control, new_off, off.bad),
        expected=state.expected + exposed * rate,
        units=units,
        last_data=counts.elapsed,
        missing=0,
        reason="",
    )


def _more(tally: Tally, total: float, bad: float) -> Tally:
    """Return a tally with what came: people who fail in a poll may have come in an earlier one."""
    return Tally(total=tally.total + total, bad=tally.bad + bad)


def _compare(state: Evidence, elapsed: float, guard: RatioGuard) -> Evidence:
    """Stake what is due by now, and compare when there is enough."""
    bets = harm_bets(guard.harm_ratio, guard.direction)
    harm, unstaked = stake(state.harm, bets, state.unstaked, guard.onset, elapsed, state.stages)
    safe = state.safe or tuple((0.0,) * len(each.log_stakes) for each in _safe_sides(guard))
    state = replace(state, harm=harm, unstaked=unstaked, safe=safe)
    if state.open_treatment.total + state.open_control.total < LEAST_EXPOSURE:
        return state
    return _close(state, guard)


def stake(
    logs: tuple[float, ...],
    bets: Bets,
    unstaked: float,
    onset: Onset,
    elapsed: float,
    stages: int,
) -> tuple[tuple[float, ...], float]:
    """Return the bets' logs with the stake due by `elapsed` added, and the share kept back."""
    left = min(unstaked, onset.unstaked(elapsed, stages))
    fresh = log_of(unstaked - left)
    if not logs:
        return (fresh,) * len(bets.log_stakes), left
    return tuple(log_add(each, fresh) for each in logs), left


def _close(state: Evidence, guard: RatioGuard) -> Evidence:
    """Compare what is open, against the bets and for the curve."""
    on, off = state.open_treatment, state.open_control
    if not state.harm or not (on.total or off.total):
        return state
    state = replace(state, open_treatment=NOTHING, open_control=NOTHING)
    if not (on.bad or off.bad):
        return state
    # The model follows what was seen before this comparison: chosen by what it then says, it
    # would be no bet.
    before = state.treatment.bad + state.control.bad - on.bad - off.bad
    exposed = state.treatment.total + state.control.total - on.total - off.total
    exact = guard.model is Model.EXACT or (
        guard.model is Model.AUTO and before > HIGH_RATE * exposed and on.is_share and off.is_share
    )
    measure = hypergeometric if exact else binomial

    def gained(logs: tuple[float, ...], bets: Bets) -> tuple[float, ...]:
        gains = bets.gains(measure(on, off, bets.log_ratios, bets.ratios))
        return tuple(log + gain for log, gain in zip(logs, gains, strict=True))

    shape = measure(on, off, curves.LOG_RATIOS, curves.RATIOS)
    sides = zip(state.safe, _safe_sides(guard), strict=True)
    return replace(
        state,
        harm=gained(state.harm, harm_bets(guard.harm_ratio, guard.direction)),
        safe=tuple(gained(logs, bets) for logs, bets in sides),
        curve=tuple(old + new for old, new in zip(state.curve, shape, strict=True)),
    )


def _safe_sides(guard: RatioGuard) -> tuple[Bets, ...]:
    if guard.direction is Direction.BOTH:
        ways: tuple[Direction, ...] = (Direction.UP, Direction.DOWN)
    else:
        ways = (guard.direction,)
    return tuple(safe_bets(guard.safe_ratio, way) for way in ways)


def _note_harm(state: Evidence, guard: RatioGuard) -> Evidence:
    if state.harmful_at is not None or not harm_is_real(state, guard):
        return state
    if log_harm(state, guard) < log_harm_limit(guard):
        return state
    return replace(state, harmful_at=state.elapsed)


def log_safe(state: Evidence, guard: RatioGuard) -> float:
    """Return the logarithm of the evidence, in this stage, that the ratio is within the margin.

    When safe both ways is asked for, the weaker side counts.
    """
    sides = _safe_sides(guard)
    if not state.safe:
        return 0.0
    return min(bets.value(logs) for bets, logs in zip(sides, state.safe, strict=True))


def evidence_ratio(log_evidence: float) -> float:
    """Return evidence as "so many to 1", at most 1e300."""
    return exp(min(log_evidence, 690.0))
