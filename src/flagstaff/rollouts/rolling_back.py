"""How are gates put back: all of them to before the rollout, or by one stage?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from flagstaff.rollouts.checks import (
    CheckCommand,
    CheckDrained,
    CheckFlag,
    CheckHealth,
    CheckHttp,
    CheckWorkersReady,
    DeleteQueue,
    MigrateJobs,
    RunCommand,
    Wait,
)
from flagstaff.rollouts.effect import Effect, Post, RestoreFlag
from flagstaff.rollouts.plan import Approve, Bake, DeleteFlag, Preset, SetGate
from flagstaff.rollouts.rollout import Phase, Rollout, SavedGates, StepState, StepStatus
from flagstaff.rollouts.rules import RollbackTo

Moved = tuple[Rollout, tuple[Effect, ...]]

AGAIN = (
    SetGate,
    DeleteFlag,
    Bake,
    Approve,
    Wait,
    RunCommand,
    MigrateJobs,
    DeleteQueue,
    CheckFlag,
    CheckHealth,
    CheckCommand,
    CheckHttp,
    CheckWorkersReady,
    CheckDrained,
)
"""Steps of a stage that are done anew when it is: what a person did, or was told, stays done."""


def roll_back(rollout: Rollout, reason: str, now: datetime) -> Moved:
    """Return the rollout rolled back: gates as before, production first, and people told."""
    touched = rollout.touched
    saved = [each for each in rollout.before if each.environment in touched]
    step = rollout.current
    step_id = step.id if step else ""
    effects: list[Effect] = [*_restored(rollout, saved, f"{rollout.id}/rollback", step_id)]
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


def put_back(rollout: Rollout, reason: str, now: datetime) -> Moved:
    """Return the rollout after harm or a failure, put back as far as its plan says."""
    if rollout.plan.rollback_to is RollbackTo.PREVIOUS:
        return step_back(rollout, reason, now)
    return roll_back(rollout, reason, now)


def step_back(rollout: Rollout, reason: str, now: datetime) -> Moved:
    """Return the rollout with its last stage undone, paused before it.

    The last stage begins with the last change in production, or the last anywhere while production
    is untouched. Its gates become what they were just before, and guards begin anew: what they have
    seen is of a stage that is over. Where nothing has been changed yet, it only pauses; where it is
    not known what was before, all of it is rolled back.
    """
    start = _last_change(rollout)
    if start is None:
        return _paused(rollout, reason, now), ()
    undone = rollout.states[start:]
    steps = rollout.plan.steps[start:]
    changed = _environments(rollout, start)
    saved: dict[str, SavedGates] = {}
    for state in undone:
        for each in state.before:
            saved.setdefault(each.environment, each)
    if changed - saved.keys():
        return roll_back(rollout, reason, now)
    begun = [
        _anew(state) if step.preset is Preset.OPEN and isinstance(step.action, AGAIN) else state
        for step, state in zip(steps, undone, strict=True)
    ]
    key = f"{rollout.id}/back/{steps[0].id}/{rollout.epoch}"
    effects: list[Effect] = [*_restored(rollout, saved.values(), key, steps[0].id)]
    if rollout.plan.announce_to:
        where = ", ".join(each.environment for each in _in_order(rollout, saved.values()))
        effects.append(
            Post(
                key=f"{key}/post",
                step="",
                channels=rollout.plan.announce_to,
                text=f"`{rollout.plan.flag}` was put back one stage in {where}: {_said(reason)}. "
                "The rollout is paused until a person lets it go on",
            )
        )
    back = replace(
        rollout,
        states=(*rollout.states[:start], *begun),
        epoch=rollout.epoch + 1,
        watches=(),
    )
    in_production = bool(back.production_changes)
    back = replace(back, watch_since=now if in_production else None)
    return _paused(back, f"put back one stage: {_said(reason)}", now), tuple(effects)


def _last_change(rollout: Rollout) -> int | None:
    found = [
        (at, bool({*step.action.environments} & {*rollout.plan.production}))
        for at, (step, state) in enumerate(zip(rollout.plan.steps, rollout.states, strict=True))
        if isinstance(step.action, SetGate | DeleteFlag)
        and step.preset is Preset.OPEN
        and state.status is StepStatus.DONE
    ]
    in_production = [at for at, production in found if production]
    last = in_production or [at for at, _ in found]
    return last[-1] if last else None


def _environments(rollout: Rollout, start: int) -> set[str]:
    pairs = zip(rollout.plan.steps[start:], rollout.states[start:], strict=True)
    return {
        environment
        for step, state in pairs
        if isinstance(step.action, SetGate | DeleteFlag)
        and step.preset is Preset.OPEN
        and state.status is StepStatus.DONE
        for environment in step.action.environments
    }


def _anew(state: StepState) -> StepState:
    """Return the state of a step that is to be done anew; one that never began keeps its yes.

    One that a person has skipped stays skipped.
    """
    if state.status is StepStatus.PENDING or (
        state.status is StepStatus.SKIPPED and not state.unwanted
    ):
        return state
    return StepState(id=state.id, undone=True)


def _paused(rollout: Rollout, reason: str, now: datetime) -> Rollout:
    since = rollout.paused_at if rollout.phase is Phase.PAUSED else now
    return replace(rollout, phase=Phase.PAUSED, paused_at=since, reason=reason)


def _restored(
    rollout: Rollout, saved: Iterable[SavedGates], key: str, step: str
) -> list[RestoreFlag]:
    return [
        RestoreFlag(
            key=f"{key}/{each.environment}",
            step=step,
            environment=each.environment,
            gates=each.gates,
        )
        for each in _in_order(rollout, saved)
    ]


def _in_order(rollout: Rollout, saved: Iterable[SavedGates]) -> list[SavedGates]:
    return sorted(saved, key=lambda each: each.environment not in rollout.plan.production)


def _said(reason: str) -> str:
    """Return the reason without saying twice that something was rolled back."""
    return reason.removeprefix("Rolled back ").removesuffix(".")


def _told(flag: str, touched: tuple[str, ...], reason: str) -> str:
    """Return the announcement, which does not say twice that it was rolled back."""
    said = reason.removeprefix("Rolled back ")
    return (
        f"`{flag}` was rolled back in {', '.join(touched)}{' ' if said != reason else ': '}{said}"
    )
