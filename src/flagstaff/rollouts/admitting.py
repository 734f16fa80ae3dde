"""May the current step begin: is what it requires done, and does its condition hold?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from flagstaff.rollouts.condition import Facts, decide
from flagstaff.rollouts.plan import Step
from flagstaff.rollouts.rollout import Rollout, StepState, StepStatus


def is_admitted(rollout: Rollout, step: Step) -> bool:
    """Return whether there is nothing to be looked at, or it was looked at and holds."""
    return not (step.requires or step.when) or rollout.state(step.id).admitted


def admit(rollout: Rollout, step: Step, facts: Facts | None, now: datetime) -> Rollout:
    """Return the rollout with the step admitted, skipped, or held with the reason."""
    state = rollout.state(step.id)
    if step.when:
        if facts is None:
            return rollout
        verdict = decide(step.when, facts)
        if verdict.holds is None:
            note = f"whether `{step.when}` holds cannot be known: {verdict.because}"
            if state.approved_by:
                return _admitted(rollout, state)
            return _held(rollout, state, StepStatus.WAITING, note, now)
        if not verdict.holds:
            note = f"not wanted: `{step.when}` does not hold, as {verdict.because}"
            return _skipped(rollout, state, note, now)
    for required in step.requires:
        unmet = _unmet(rollout, required)
        if unmet is None:
            continue
        if unmet.unwanted:
            note = f"not wanted: it requires {required}, which was not wanted either"
            return _skipped(rollout, state, note, now)
        if not state.approved_by:
            note = f"it requires {required}, which is {unmet.status}: approve to go on without it"
            return _held(rollout, state, StepStatus.WAITING, note, now)
    return _admitted(rollout, state)


def _unmet(rollout: Rollout, required: str) -> StepState | None:
    for state in rollout.states:
        if state.id == required:
            return None if state.status is StepStatus.DONE else state
    return StepState(id=required)


def _admitted(rollout: Rollout, state: StepState) -> Rollout:
    return rollout.with_state(
        replace(state, status=StepStatus.PENDING, since=None, note="", admitted=True)
    )


def _skipped(rollout: Rollout, state: StepState, note: str, now: datetime) -> Rollout:
    skipped = replace(state, status=StepStatus.SKIPPED, note=note, finished_at=now, unwanted=True)
    return rollout.with_state(skipped)


def _held(
    rollout: Rollout, state: StepState, status: StepStatus, note: str, now: datetime
) -> Rollout:
    return rollout.with_state(replace(state, status=status, since=state.since or now, note=note))
