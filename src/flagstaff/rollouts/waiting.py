"""How long is people's word waited for, or a moment, or a condition?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import assert_never

from flagstaff.rollouts.checks import Wait
from flagstaff.rollouts.condition import Facts, decide
from flagstaff.rollouts.noting import ask, done, stands
from flagstaff.rollouts.plan import Approve, Bake, DeleteFlag, SetGate, Step
from flagstaff.rollouts.rolling_back import Moved, put_back, roll_back
from flagstaff.rollouts.rollout import Rollout, StepState, StepStatus
from flagstaff.rollouts.rules import OnTimeout


def approve(rollout: Rollout, step: Step, action: Approve, now: datetime) -> Moved:
    """Return the rollout after looking whether enough people have said yes, and in time.

    A yes that is there counts however late it is looked at.
    """
    state = rollout.state(step.id)
    if action.count <= 1 or len(state.approvals) >= action.count:
        rollout = ask(rollout, step, "", now)
    else:
        given = ", ".join(each.by for each in state.approvals)
        note = f"{len(state.approvals)} of {action.count} have said yes"
        note += f": {given}" if given else ""
        rollout = stands(rollout, step, StepStatus.WAITING, note, now)
    state = rollout.state(step.id)
    if action.timeout is None or state.status.finished:
        return rollout, ()
    if state.until is None:
        return rollout.with_state(replace(state, until=now + action.timeout)), ()
    if now < state.until:
        return rollout, ()
    reason = f"{step.title}: nobody has said yes in time"
    match action.on_timeout:
        case OnTimeout.ABORT:
            return roll_back(rollout, reason, now)
        case OnTimeout.ROLLBACK:
            return put_back(rollout, reason, now)
        case OnTimeout.HOLD:
            late = f"nobody has said yes by {_moment(state.until)}; it is still waited for"
            return stands(rollout, step, StepStatus.WAITING, late, now), ()
        case _:
            assert_never(action.on_timeout)


def wait(rollout: Rollout, step: Step, action: Wait, facts: Facts | None, now: datetime) -> Rollout:
    """Return the rollout after looking whether a wait is over."""
    state = rollout.state(step.id)
    if action.condition:
        return _until_so(rollout, step, action.condition, facts, now)
    if state.until is None:
        until = action.until or (now + action.duration if action.duration else now)
        state = replace(state, status=StepStatus.ACTIVE, since=state.since or now, until=until)
        rollout = rollout.with_state(state)
    if state.until is not None and now < state.until:
        return rollout
    return done(rollout, step, "", now)


def after_pause(step: Step, state: StepState, paused: datetime, now: datetime) -> StepState:
    """Return the state with its time made longer by a pause, where the pause does not count.

    What ends at a moment that others have set ends then all the same.
    """
    fixed = isinstance(step.action, SetGate | DeleteFlag) or (
        isinstance(step.action, Wait) and step.action.until is not None
    )
    if fixed or state.until is None or state.status.finished:
        return state
    return replace(state, until=state.until + (now - paused))


def may_end_early(step: Step) -> bool:
    """Return whether the step is a wait that a person may end."""
    return isinstance(step.action, Bake | Wait)


def _until_so(
    rollout: Rollout, step: Step, condition: str, facts: Facts | None, now: datetime
) -> Rollout:
    if facts is None:
        note = rollout.state(step.id).note or f"waiting until {condition}"
        return stands(rollout, step, StepStatus.ACTIVE, note, now)
    verdict = decide(condition, facts)
    if verdict.holds:
        return done(rollout, step, verdict.because, now)
    note = f"waiting until {condition}; {verdict.because}"
    return stands(rollout, step, StepStatus.ACTIVE, note, now)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
