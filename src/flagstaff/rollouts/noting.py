"""How is written down where a step stands?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from flagstaff.rollouts.plan import Step
from flagstaff.rollouts.rollout import Rollout, StepStatus


def done(rollout: Rollout, step: Step, note: str, now: datetime, by: str = "") -> Rollout:
    """Return the rollout with the step done."""
    state = rollout.state(step.id)
    return rollout.with_state(
        replace(
            state,
            status=StepStatus.DONE,
            since=state.since or now,
            finished_at=now,
            note=note,
            by=by,
        )
    )


def stands(rollout: Rollout, step: Step, status: StepStatus, note: str, now: datetime) -> Rollout:
    """Return the rollout with the step not done yet, and why."""
    state = rollout.state(step.id)
    return rollout.with_state(replace(state, status=status, since=state.since or now, note=note))


def ask(rollout: Rollout, step: Step, question: str, now: datetime) -> Rollout:
    """Return the rollout with the step done if a person has said so, else waiting for it."""
    state = rollout.state(step.id)
    if state.approved_by:
        note = f"approved by {state.approved_by}"
        note += f": {state.approval_note}" if state.approval_note else ""
        return done(rollout, step, note, now, by=state.approved_by)
    return stands(rollout, step, StepStatus.WAITING, question or state.note, now)
