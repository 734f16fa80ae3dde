"""How is evidence said to people?"""

from __future__ import annotations

from flagstaff.rollouts.evidence.confidence import Interval
from flagstaff.rollouts.evidence.curve import WIDEST
from flagstaff.rollouts.evidence.durations import (
    DurationEvidence,
    DurationGuard,
    duration_standing,
    log_faster,
    log_slower,
)
from flagstaff.rollouts.evidence.judging import Finding
from flagstaff.rollouts.evidence.ratio import evidence_ratio
from flagstaff.rollouts.evidence.standing import Standing

MINUTE = 60
HOUR = 3600
THOUSANDS = 10_000


def rolled_back(finding: Finding, elapsed: float, percentage: float) -> str:
    """Return why a rollout was rolled back, in two or three sentences.

    Args:
        finding: the guard that shows harm.
        elapsed: seconds in the stage until then.
        percentage: of people with the flag in that stage, 0 to 100.
    """
    extra = round(abs(finding.extra))
    kind = "extra" if finding.extra > 0 else "fewer"
    reached = f" About {extra:,} {kind} failures reached users." if extra else ""
    return f"Rolled back after {spoken(elapsed)} at {percentage:g} %: {sentence(finding)}.{reached}"


def sentence(finding: Finding) -> str:
    """Return the comparison, the counts and the evidence, without a full stop."""
    if finding.standing is Standing.NO_DATA:
        return f"{finding.guard}: no data: {finding.reason or 'nothing came'}"
    treatment, control = finding.treatment, finding.control
    counts = (
        f"{treatment.bad:,.0f} of {treatment.total:,.0f} {finding.noun} against "
        f"{control.bad:,.0f} of {control.total:,.0f}"
    )
    if not treatment.total or not control.total:
        return f"{finding.guard}: nothing to compare yet, {counts}"
    if not treatment.bad and not control.bad:
        return f"{finding.guard}: {counts}; {_evidence(finding)}"
    return (
        f"{finding.guard} with the flag on {_ratio(finding.ratio)}, {counts}; {_evidence(finding)}"
    )


def slower_sentence(state: DurationEvidence, guard: DurationGuard) -> str:
    """Return how durations compare, without a full stop."""
    standing = duration_standing(state, guard)
    if standing is Standing.NO_DATA:
        return f"{guard.name}: no data: {state.reason}"
    if not state.pairs:
        return f"{guard.name}: nothing to compare yet"
    on, off = state.treatment, state.control
    longer = f"{100 * state.won / state.pairs:.0f} %"
    words = (
        f"{guard.name}: in {longer} of pairs the one {guard.with_on} took longer, "
        f"{on.total:,.0f} {guard.noun} against {off.total:,.0f}"
    )
    if guard.bounds:
        words += (
            f", {on.bad:,.0f} of {on.total:,.0f} took over {guard.bounds[-1]:g} s against "
            f"{off.bad:,.0f} of {off.total:,.0f}"
        )
    if standing is Standing.HEALTHY:
        safe = to_one(evidence_ratio(log_faster(state)))
        return f"{words}; evidence of safety {safe}, asked for {to_one(1.0 / guard.false_safe)}"
    limit = 1.0 / (guard.false_harm * guard.share)
    evidence = evidence_ratio(log_slower(state))
    return f"{words}; evidence {to_one(evidence)}, limit {to_one(limit)}"


def _ratio(ratio: Interval) -> str:
    if ratio.high is None:
        range_ = f"{ratio.low:.2g}x or more"
    else:
        range_ = f"{ratio.low:.2g}-{ratio.high:.2g}x"
    if ratio.estimate > 0.99 * WIDEST:
        estimate = f"more than {WIDEST:g}x"
    else:
        estimate = "0x" if ratio.estimate < 1.01 / WIDEST else f"{ratio.estimate:.3g}x"
    return f"{estimate} flag off (95 % confidence {range_})"


def _evidence(finding: Finding) -> str:
    if finding.standing is Standing.HEALTHY:
        return f"evidence of safety {to_one(finding.safe)}, asked for {to_one(finding.safe_limit)}"
    return f"evidence {to_one(finding.harm)}, limit {to_one(finding.harm_limit)}"


def to_one(evidence: float) -> str:
    """Return evidence as people say it."""
    if evidence >= THOUSANDS:
        return "more than 10,000 : 1"
    return f"{evidence:,.0f} : 1" if evidence >= 1 else "less than 1 : 1"


def length(seconds: float) -> str:
    """Return a length of time to the millisecond, such as `500 ms` or `2.5 s`."""
    return f"{1000 * seconds:g} ms" if seconds < 1 else f"{seconds:g} s"


def spoken(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"
