"""What happens next? One pure function: rollout, event and time in, rollout and effects out.

`Observed` moves at most one step; the caller repeats until nothing changes, committing in between.
So a process that dies at any moment has done whole steps only.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from flagstaff.rollouts.effect import Effect, Post, RestoreFlag
from flagstaff.rollouts.event import (
    Aborted,
    Approved,
    EffectDone,
    EffectFailed,
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
from flagstaff.rollouts.judging import alarms, as_it_stands, harm
from flagstaff.rollouts.perform import effect_done, perform
from flagstaff.rollouts.plan import Bake, DeleteFlag, SetGate
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus
from flagstaff.rollouts.watching import read

Moved = tuple[Rollout, tuple[Effect, ...]]


def advance(rollout: Rollout, event: Event, now: datetime) -> Moved:
    """Return the rollout after `event`, and what it wants done.

    A finished rollout never changes, and neither does any other by an event about a step that is
    over or unknown, or by one that has been seen before.
    """
    if rollout.phase.finished:
        return rollout, ()
    if isinstance(event, Aborted):
        return roll_back(rollout, f"{event.by}: {event.reason}", now)
    if isinstance(event, Started):
        return _start(rollout, event, now), ()
    if rollout.phase is Phase.PENDING:
        return rollout, ()
    about_step = EffectDone | EffectFailed | Approved | Rejected | Skipped | Promoted
    if isinstance(event, about_step) and not _is_open(rollout, event.step):
        return rollout, ()
    match event:
        case Observed():
            return _observe(rollout, event, now)
        case EffectDone():
            return effect_done(rollout, event, now), ()
        case EffectFailed():
            return _fail(rollout, event, now), ()
        case Approved() | Rejected() | Skipped() | Promoted() | Paused() | Resumed() | Retried():
            return _decide(rollout, event, now), ()
        case _:
            assert_never(event)


def roll_back(rollout: Rollout, reason: str, now: datetime) -> Moved:
    """Return the rollout rolled back: gates as before, production first, and people told."""
    touched = rollout.touched
    saved = [each for each in rollout.before if each.environment in touched]
    saved.sort(key=lambda each: each.environment not in rollout.plan.production)
    step = rollout.current
    step_id = step.id if step else ""
    effects: list[Effect] = [
        RestoreFlag(
            key=f"{rollout.id}/rollback/{each.environment}",
            step=step_id,
            environment=each.environment,
            gates=each.gates,
        )
        for each in saved
    ]
    if rollout.plan.announce_to and touched:
        effects.append(
            Post(
                key=f"{rollout.id}/rollback/post",
                step=step_id,
                channels=rollout.plan.announce_to,
                text=_told(rollout.plan.flag, touched, reason),
            )
        )
    if step:
        state = rollout.state(step.id)
        rollout = rollout.with_state(replace(state, status=StepStatus.FAILED, note=reason))
    rolled = replace(rollout, phase=Phase.ROLLED_BACK, reason=reason, finished_at=now)
    return rolled, tuple(effects)


def _told(flag: str, touched: tuple[str, ...], reason: str) -> str:
    """Return the announcement, which does not say twice that it was rolled back."""
    said = reason.removeprefix("Rolled back ")
    return (
        f"`{flag}` was rolled back in {', '.join(touched)}{' ' if said != reason else ': '}{said}"
    )


def _is_open(rollout: Rollout, step_id: str) -> bool:
    return any(each.id == step_id and not each.status.finished for each in rollout.states)


def _start(rollout: Rollout, event: Started, now: datetime) -> Rollout:
    if rollout.phase is not Phase.PENDING:
        return rollout
    return replace(rollout, phase=Phase.RUNNING, before=event.before, started_at=now)


def _observe(rollout: Rollout, seen: Observed, now: datetime) -> Moved:
    """Count what was measured, act on harm, and only then move a step."""
    goes_on = rollout.phase is not Phase.PAUSED and not seen.harmful
    cut = goes_on and _changes_production(rollout, seen, now)
    before, rollout = rollout, read(rollout, seen.measurements, now, cut=cut)
    if reason := harm(rollout, now):
        return roll_back(rollout, reason, now)
    news = _tell(before, rollout, now)
    if not goes_on:
        return rollout, news
    step = rollout.current
    if step is None:
        return replace(rollout, phase=Phase.COMPLETED, finished_at=now), news
    moved, effects = perform(rollout, step, seen, now)
    current = moved.current
    waits = current is not None and moved.state(current.id).status is StepStatus.WAITING
    return replace(moved, phase=Phase.WAITING if waits else Phase.RUNNING), (*news, *effects)


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


def _fail(rollout: Rollout, event: EffectFailed, now: datetime) -> Rollout:
    if rollout.current != rollout.plan.step(event.step):
        return rollout
    state = rollout.state(event.step)
    failed = rollout.with_state(replace(state, status=StepStatus.FAILED, note=event.error))
    return _pause(failed, event.error, now)


def _pause(rollout: Rollout, reason: str, now: datetime) -> Rollout:
    if rollout.phase is Phase.PAUSED:
        return rollout
    return replace(rollout, phase=Phase.PAUSED, paused_at=now, reason=reason)


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
            if step is None or step.id != event.step or not isinstance(step.action, Bake):
                return rollout
            note = f"ended early by {event.by}: {event.reason}"
            if rollout.watching and rollout.watches:
                note += f" ({as_it_stands(rollout, now)})"
            return _finish(rollout, step.id, StepStatus.DONE, note, event.by, now)
        case Paused():
            return _pause(rollout, f"{event.by}: {event.reason}", now)
        case Resumed():
            return rollout if _failed(rollout) else _resume(rollout, now)
        case Retried():
            state = _failed(rollout)
            if state is None:
                return rollout
            fresh = replace(state, status=StepStatus.PENDING, since=None, until=None, note="")
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
    state = rollout.state(event.step)
    if state.approved_by and not set(event.overrides) - set(state.overrides):
        return rollout
    return rollout.with_state(
        replace(
            state,
            approved_by=event.by,
            approval_note=event.reason,
            overrides=(*state.overrides, *event.overrides),
        )
    )


def _reject(rollout: Rollout, event: Rejected, now: datetime) -> Rollout:
    """Pause, and forget an approval that came before: the last word counts."""
    note = f"rejected by {event.by}: {event.reason}"
    state = replace(
        rollout.state(event.step), note=note, approved_by="", approval_note="", overrides=()
    )
    return _pause(rollout.with_state(state), note, now)


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


def _resume(rollout: Rollout, now: datetime) -> Rollout:
    if rollout.phase is not Phase.PAUSED or rollout.paused_at is None:
        return rollout
    pause = now - rollout.paused_at
    states = tuple(
        replace(state, until=state.until + pause)
        if state.until is not None and not state.status.finished
        else state
        for state in rollout.states
    )
    return replace(rollout, phase=Phase.RUNNING, states=states, paused_at=None, reason="")
