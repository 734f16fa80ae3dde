"""What becomes of a rollout whose step has failed?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import assert_never

from flagstaff.rollouts.plan import Step
from flagstaff.rollouts.rolling_back import Moved, put_back, step_back
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus
from flagstaff.rollouts.rules import Then


def failed(rollout: Rollout, step: Step, error: str, now: datetime, *, output: str = "") -> Moved:
    """Return the rollout after the failure of its current step, as `on_fail` says."""
    rule = step.on_fail
    state = rollout.state(step.id)
    tries = state.tries + 1
    if tries <= rule.retries:
        return _again(rollout, step, replace(state, tries=tries, output=output), error, now), ()
    if rule.retries:
        error = f"{error} (tried {tries} times)"
    state = replace(state, status=StepStatus.FAILED, note=error, output=output, until=None)
    rollout = rollout.with_state(state)
    match rule.then:
        case Then.PAUSE:
            return pause(rollout, error, now), ()
        case Then.ROLLBACK:
            return put_back(rollout, f"{step.title}: {error}", now)
        case Then.BACK:
            return step_back(rollout, f"{step.title}: {error}", now)
        case Then.SKIP:
            note = f"skipped, as its plan says, because it failed: {error}"
            skipped = replace(state, status=StepStatus.SKIPPED, note=note, finished_at=now)
            return rollout.with_state(skipped), ()
        case _:
            assert_never(rule.then)


def pause(rollout: Rollout, reason: str, now: datetime) -> Rollout:
    """Return the rollout paused; one that is paused already keeps its reason."""
    if rollout.phase is Phase.PAUSED:
        return rollout
    return replace(rollout, phase=Phase.PAUSED, paused_at=now, reason=reason)


def _again(rollout: Rollout, step: Step, state: StepState, error: str, now: datetime) -> Rollout:
    at = now + step.on_fail.rest(state.tries)
    note = (
        f"try {state.tries} of {step.on_fail.retries + 1} failed: {error}; "
        f"again at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    )
    state = replace(state, status=StepStatus.PENDING, retry_at=at, until=None, note=note)
    return replace(rollout.with_state(state), epoch=rollout.epoch + 1)
