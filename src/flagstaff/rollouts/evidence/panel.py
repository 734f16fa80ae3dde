"""What do all guards of a rollout say, and what follows from it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flagstaff.rollouts.evidence.durations import (
    DurationEvidence,
    DurationGuard,
    duration_standing,
    log_credible_slower,
)
from flagstaff.rollouts.evidence.judging import standing
from flagstaff.rollouts.evidence.ratio import Evidence, log_credible_harm
from flagstaff.rollouts.evidence.settings import RatioGuard
from flagstaff.rollouts.evidence.several import Together, together
from flagstaff.rollouts.evidence.standing import Decision, Response, Says, Standing, decide
from flagstaff.rollouts.evidence.threshold import Streak, Threshold, streak_standing

AnyGuard = RatioGuard | DurationGuard | Threshold
AnyState = Evidence | DurationEvidence | Streak


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What the guards say: each one's standing by name, all of them together, and what follows."""

    standings: dict[str, Standing]
    together: Together
    decision: Decision


def survey(
    pairs: Sequence[tuple[AnyGuard, AnyState]],
    *,
    false_harm: float = 0.05,
    time_is_up: bool = False,
    max_time: float | None = None,
    on_inconclusive: Response = Response.HOLD,
    on_no_data: Response = Response.HOLD,
) -> Panel:
    """Return what the guards say and what follows.

    Only guards that roll back share the chance of a false rollback, `false_harm`; those that hold
    or notify, and dry runs, stand for themselves.

    Args:
        pairs: each guard with its state; the shares of those that roll back add up to 1 at most.
        false_harm: chance of a rollback without harm.
        time_is_up: the stage has lasted as long as it must at least.
        max_time: seconds a stage may stay undecided; none for ever.
        on_inconclusive: what is done about a required guard that then cannot tell.
        on_no_data: what is done about a required guard without data.
    """
    logs, shared, standings, watches = {}, {}, {}, []
    for guard, state in pairs:
        stands = _standing(guard, state, max_time)
        standings[guard.name] = stands
        watches.append(
            Says(
                standing=stands,
                required=guard.required,
                dry_run=guard.dry_run,
                on_harm=guard.on_harm,
            )
        )
        decides = guard.on_harm is Response.ROLLBACK and not guard.dry_run
        if decides and not isinstance(guard, Threshold):
            logs[guard.name] = _log_harm(guard, state)
            shared[guard.name] = guard.share
    joint = together(logs, shared, false_harm)
    decision = decide(
        tuple(watches),
        joint_harm=joint.harmful,
        time_is_up=time_is_up,
        on_inconclusive=on_inconclusive,
        on_no_data=on_no_data,
    )
    return Panel(standings=standings, together=joint, decision=decision)


def _standing(guard: AnyGuard, state: AnyState, max_time: float | None) -> Standing:
    if isinstance(guard, RatioGuard) and isinstance(state, Evidence):
        return standing(state, guard, max_time)
    if isinstance(guard, DurationGuard) and isinstance(state, DurationEvidence):
        return duration_standing(state, guard, max_time)
    if isinstance(guard, Threshold) and isinstance(state, Streak):
        return streak_standing(state, guard)
    raise TypeError(f"{guard.name} has the state of another kind of guard")


def _log_harm(guard: AnyGuard, state: AnyState) -> float:
    if isinstance(guard, RatioGuard) and isinstance(state, Evidence):
        return log_credible_harm(state, guard)
    if isinstance(guard, DurationGuard) and isinstance(state, DurationEvidence):
        return log_credible_slower(state, guard)
    return 0.0
