"""What happens next? One pure function: rollout, event and time in, rollout and effects out.

`Observed` moves at most one step; the caller repeats until nothing changes, committing in between.
So a process that dies at any moment has done whole steps only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from flagstaff.rollouts.effect import Effect, Post
from flagstaff.rollouts.event import (
    Aborted,
    Approved,
    EffectDone,
    EffectFailed,
    EffectHeld,
    Event,
    Observed,
    Paused,
    Promoted,
    Rejected,
    Resumed,
    Retried,
    Skipped,
    Started,
)
from flagstaff.rollouts.expiring import expire, with_progress
from flagstaff.rollouts.failing import failed, pause
from flagstaff.rollouts.judging import alarms, as_it_stands, harm
from flagstaff.rollouts.perform import effect_done, effect_held, perform
from flagstaff.rollouts.plan import Approve, Bake, DeleteFlag, SetGate
from flagstaff.rollouts.rolling_back import Moved, put_back, roll_back
from flagstaff.rollouts.rollout import Approval, Phase, Rollout, StepState, StepStatus
from flagstaff.rollouts.waiting import after_pause, may_end_early
from flagstaff.rollouts.watching import read

FOUR_EYES = "four-eyes"
"""The override that lets people approve a rollout of their own."""


def advance(rollout: Rollout, event: Event, now: datetime) -> Moved:
    """Return the rollout after `event`, and what it wants done.

    A finished rollout never changes, and neither does any other by an event about a step that is
    over or unknown, or by one that has been seen before.
    """
    moved, effects = _advance(rollout, event, now)
    return with_progress(rollout, moved, now), effects


def _advance(rollout: Rollout, event: Event, now: datetime) -> Moved:
    if rollout.phase.finished:
        return rollout, ()
    if isinstance(event, Aborted):
        return roll_back(rollout, f"{event.by}: {event.reason}", now)
    if isinstance(event, Started):
        return _start(rollout, event, now), ()
    if rollout.phase is Phase.PENDING:
        return rollout, ()
    if rollout.phase is Phase.EXPIRED and not isinstance(event, Resumed | EffectDone):
        return rollout, ()
    about_step = EffectDone | EffectFailed | EffectHeld | Approved | Rejected | Skipped | Promoted
    if isinstance(event, about_step) and not _is_open(rollout, event.step):
        return rollout, ()
    match event:
        case Observed():
            return _observe(rollout, event, now)
        case EffectDone():
            return effect_done(rollout, event, now), ()
        case EffectFailed():
            return _fail(rollout, event, now)
        case EffectHeld():
            return effect_held(rollout, event, now), ()
        case Approved() | Rejected() | Skipped() | Promoted() | Paused() | Resumed() | Retried():
            return _decide(rollout, event, now), ()
        case _:
            assert_never(event)


def _is_open(rollout: Rollout, step_id: str) -> bool:
    return any(each.id == step_id and not each.status.finished for each in rollout.states)


def _start(rollout: Rollout, event: Started, now: datetime) -> Rollout:
    if rollout.phase is not Phase.PENDING:
        return rollout
    return replace(
        rollout,
        phase=Phase.RUNNING,
        before=event.before,
        started_at=now,
        started_by=event.by,
    )


def _observe(rollout: Rollout, seen: Observed, now: datetime) -> Moved:
    """Count what was measured, act on harm, and only then move a step."""
    goes_on = rollout.phase is not Phase.PAUSED and not seen.harmful
    cut = goes_on and _changes_production(rollout, seen, now)
    before, rollout = rollout, read(rollout, seen.measurements, now, cut=cut)
    if reason := harm(rollout, now):
        return put_back(rollout, reason, now)
    news = _tell(before, rollout, now)
    if not goes_on:
        rollout, more = expire(rollout, now)
        return rollout, (*news, *more)
    step = rollout.current
    if step is None:
        return replace(rollout, phase=Phase.COMPLETED, finished_at=now), news
    moved, effects = perform(rollout, step, seen, now)
    if moved.phase is not rollout.phase:
        return moved, (*news, *effects)
    current = moved.current
    waits = current is not None and moved.state(current.id).status is StepStatus.WAITING
    moved = replace(moved, phase=Phase.WAITING if waits else Phase.RUNNING)
    # Whatever can go forward does so first, however long nobody has looked.
    moved, more = expire(with_progress(rollout, moved, now), now)
    return moved, (*news, *effects, *more)


def _changes_production(rollout: Rollout, seen: Observed, now: datetime) -> bool:
    """Return whether the look changes the flag where guards watch."""
    step = rollout.current
    if step is None or not rollout.watching or not isinstance(step.action, SetGate | DeleteFlag):
        return False
    moved, _ = perform(rollout, step, seen, now)
    return moved.production_changes != rollout.production_changes


def _tell(before: Rollout, after: Rollout, now: datetime) -> tuple[Effect, ...]:
    """Return posts about guards that show harm and do not roll back; they belong to no step."""
    if before.watches == after.watches or not after.plan.announce_to:
        return ()
    return tuple(
        Post(
            key=f"{after.id}/guards/{now.isoformat()}/{number}",
            step="",
            channels=after.plan.announce_to,
            text=f"`{after.plan.flag}`: {text}",
        )
        for number, text in enumerate(alarms(before, after, now))
    )


def _fail(rollout: Rollout, event: EffectFailed, now: datetime) -> Moved:
    step = rollout.plan.step(event.step)
    if rollout.current != step:
        return rollout, ()
    return failed(rollout, step, event.error, now, output=event.output)


def _decide(
    rollout: Rollout,
    event: Approved | Rejected | Skipped | Promoted | Paused | Resumed | Retried,
    now: datetime,
) -> Rollout:
    match event:
        case Approved():
            return _approve(rollout, event)
        case Rejected():
            return _reject(rollout, event, now)
        case Skipped():
            return _skip(rollout, event, now)
        case Promoted():
            step = rollout.current
            if step is None or step.id != event.step or not may_end_early(step):
                return rollout
            note = f"ended early by {event.by}: {event.reason}"
            if isinstance(step.action, Bake) and rollout.watching and rollout.watches:
                note += f" ({as_it_stands(rollout, now)})"
            return _finish(rollout, step.id, StepStatus.DONE, note, event.by, now)
        case Paused():
            return pause(rollout, f"{event.by}: {event.reason}", now)
        case Resumed():
            return _taken_up(rollout) if _failed(rollout) else _resume(rollout, now)
        case Retried():
            state = _failed(rollout)
            if state is None:
                return rollout
            fresh = replace(
                state, status=StepStatus.PENDING, since=None, until=None, note="", tries=0
            )
            again = replace(rollout.with_state(fresh), epoch=rollout.epoch + 1)
            return _resume(again, now)
        case _:
            assert_never(event)


def _failed(rollout: Rollout) -> StepState | None:
    """Return the state of the current step if it has failed: retry or skip it, nothing else."""
    step = rollout.current
    state = rollout.state(step.id) if step else None
    return state if state and state.status is StepStatus.FAILED else None


def _approve(rollout: Rollout, event: Approved) -> Rollout:
    """Note a yes; where several are needed, everybody has one.

    A step that asks for four eyes takes none from whoever began the rollout, unless that is
    overruled.
    """
    state, action = rollout.state(event.step), rollout.plan.step(event.step).action
    own = event.by == rollout.started_by and FOUR_EYES not in event.overrides
    if isinstance(action, Approve) and action.four_eyes and own:
        return rollout
    several = isinstance(action, Approve) and action.count > 1
    again = event.by in {each.by for each in state.approvals} or (
        not several and bool(state.approved_by)
    )
    if again and not set(event.overrides) - set(state.overrides):
        return rollout
    approvals = state.approvals
    if event.by not in {each.by for each in approvals}:
        approvals = (*approvals, Approval(by=event.by, reason=event.reason))
    return rollout.with_state(
        replace(
            state,
            approvals=approvals,
            approved_by=", ".join(each.by for each in approvals) if several else event.by,
            approval_note="; ".join(each.reason for each in approvals if each.reason)
            if several
            else event.reason,
            overrides=(*state.overrides, *event.overrides),
        )
    )


def _reject(rollout: Rollout, event: Rejected, now: datetime) -> Rollout:
    """Pause, and forget an approval that came before: the last word counts."""
    note = f"rejected by {event.by}: {event.reason}"
    state = replace(
        rollout.state(event.step),
        note=note,
        approved_by="",
        approval_note="",
        approvals=(),
        overrides=(),
    )
    return pause(rollout.with_state(state), note, now)


def _skip(rollout: Rollout, event: Skipped, now: datetime) -> Rollout:
    """Skip a step; when its failure was why the rollout paused, it goes on."""
    failed = _failed(rollout)
    note = f"skipped by {event.by}: {event.reason}"
    skipped = _finish(rollout, event.step, StepStatus.SKIPPED, note, event.by, now)
    return _resume(skipped, now) if failed and failed.id == event.step else skipped


def _finish(
    rollout: Rollout, step_id: str, status: StepStatus, note: str, by: str, now: datetime
) -> Rollout:
    state = rollout.state(step_id)
    return rollout.with_state(replace(state, status=status, note=note, by=by, finished_at=now))


def _taken_up(rollout: Rollout) -> Rollout:
    """Return an expired rollout paused, as it was: its step has failed, so it cannot go on."""
    if rollout.phase is not Phase.EXPIRED or rollout.current is None:
        return rollout
    reason = rollout.state(rollout.current.id).note
    return replace(rollout, phase=Phase.PAUSED, reason=reason)


def _resume(rollout: Rollout, now: datetime) -> Rollout:
    paused = rollout.paused_at
    if rollout.phase not in {Phase.PAUSED, Phase.EXPIRED} or paused is None:
        return rollout
    states = tuple(
        after_pause(step, state, paused, now)
        for step, state in zip(rollout.plan.steps, rollout.states, strict=True)
    )
    return replace(rollout, phase=Phase.RUNNING, states=states, paused_at=None, reason="")
