"""What becomes of a rollout when its plan is edited under way, and which edits are none?

The position is kept by the ids of the steps. What is over stays as it is and where it is, and what
has begun stays what it is; so no edit skips a step, does one twice, or changes what a rollback
restores.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from flagstaff.rollouts.checks import Wait
from flagstaff.rollouts.passing import overruled
from flagstaff.rollouts.plan import (
    Approve,
    AskPerson,
    Bake,
    DeleteFlag,
    Plan,
    Preset,
    SetGate,
    Step,
)
from flagstaff.rollouts.reaching import ASKED_FOR
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus

_TOLD: dict[str, Any] = {"stage": "", "title": "", "line": 0, "anchor": "", "reason": ""}
"""What a step is called and where it stands, which changes nothing of what it does."""

__all__ = ["EditProblem", "edit", "edit_problems", "overruled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditProblem:
    """Why an edit is none; `step` is empty where it is about the plan as a whole."""

    step: str
    what: str
    remedy: str = ""


def edit(rollout: Rollout, plan: Plan, now: datetime) -> Rollout:
    """Return the rollout with the new plan, standing where it stood.

    A step that is the same keeps its state; one that changes before its turn begins anew, with no
    word given for it. A wait under way that gets another length ends as much earlier or later.

    Raises:
        ValueError: there are problems with the edit; `edit_problems` tells them.
    """
    if problems := edit_problems(rollout, plan):
        raise ValueError("; ".join(each.what for each in problems))
    fresh = Rollout.of(plan, rollout_id=rollout.id)
    if rollout.phase is Phase.PENDING:
        return fresh
    old = {step.id: step for step in rollout.plan.steps}
    states = tuple(
        _state(old[step.id], step, rollout.state(step.id), fresh.state(step.id), now)
        if step.id in old
        else fresh.state(step.id)
        for step in plan.steps
    )
    edited = replace(rollout, plan=plan, states=states)
    waits = edited.current is not None and (
        edited.state(edited.current.id).status is StepStatus.WAITING
    )
    if edited.phase is Phase.WAITING and not waits:
        return replace(edited, phase=Phase.RUNNING)
    return edited


def edit_problems(rollout: Rollout, plan: Plan) -> tuple[EditProblem, ...]:
    """Return all that stands in the way of giving the rollout the new plan."""
    if rollout.phase.finished:
        what = f"rollout {rollout.id} is {rollout.phase.replace('_', ' ')}"
        return (EditProblem(step="", what=what, remedy="begin another one"),)
    found = [*_whole(rollout, plan)]
    if rollout.phase is not Phase.PENDING and not found:
        found += _steps(rollout, plan)
        found += _order(rollout, plan)
    return tuple(found)


def _whole(rollout: Rollout, plan: Plan) -> Iterator[EditProblem]:
    """Yield what is wrong with the plan as a whole."""
    before = rollout.plan
    if plan.flag != before.flag:
        what = f"the rollout is of {before.flag}, and the plan is for {plan.flag}"
        yield EditProblem(step="", what=what, remedy="start a rollout of its own")
    if not plan.steps:
        yield EditProblem(step="", what="the plan has no steps", remedy="abort the rollout instead")
    ids = [step.id for step in plan.steps]
    for twice in sorted({each for each in ids if ids.count(each) > 1}):
        what = f"two steps have the id {twice}"
        yield EditProblem(step=twice, what=what, remedy="give each an id of its own")
    if rollout.phase is Phase.PENDING:
        return
    if plan.production != before.production:
        what = "which environments count as production cannot change under way"
        yield EditProblem(step="", what=what, remedy=f"keep {', '.join(before.production)}")
    watched = (plan.guards, plan.statistics) != (before.guards, before.statistics)
    if watched and rollout.watch_since is not None:
        what = "guards and statistics cannot change while the guards watch"
        remedy = "their evidence counts from the first change in production on; keep them"
        yield EditProblem(step="", what=what, remedy=remedy)


def _steps(rollout: Rollout, plan: Plan) -> Iterator[EditProblem]:
    """Yield what is wrong with single steps."""
    new = {step.id: step for step in plan.steps}
    for step, state in zip(rollout.plan.steps, rollout.states, strict=True):
        after = new.get(step.id)
        if after is None and _begun(state):
            over = "is over" if state.status.finished else "has begun"
            what = f"step {step.id} {over} and cannot be taken out"
            remedy = f"put it back; `rollout skip {rollout.id}` skips a step"
            if state.status.finished:
                remedy = "put it back as it was"
            yield EditProblem(step=step.id, what=what, remedy=remedy)
        elif after is not None:
            yield from _changed(step, after, state)
    known = {step.id for step in rollout.plan.steps}
    for step in plan.steps:
        done = step.preset is Preset.DONE and isinstance(step.action, SetGate | DeleteFlag)
        if step.id not in known and done:
            what = f"step {step.id} is new and said to be done, but nothing has done it"
            yield EditProblem(step=step.id, what=what, remedy="leave its state out")


def _changed(step: Step, after: Step, state: StepState) -> Iterator[EditProblem]:
    unplaced = replace(after, line=step.line, anchor=step.anchor)
    if state.status.finished:
        if unplaced != step:
            what = f"step {step.id} is over and cannot change"
            yield EditProblem(step=step.id, what=what, remedy="write it as it was")
        return
    if after.preset is not step.preset:
        what = f"step {step.id} is not over, and an edit cannot say that it is"
        yield EditProblem(step=step.id, what=what, remedy="leave its state out, or skip the step")
    if not _begun(state) or after.action == step.action:
        return
    if type(after.action) is not type(step.action):
        what = f"step {step.id} has begun and cannot become another kind"
        yield EditProblem(step=step.id, what=what, remedy="skip it, and add the other one after it")
    elif isinstance(step.action, ASKED_FOR) and state.status is not StepStatus.FAILED:
        what = f"step {step.id} has been asked for already"
        yield EditProblem(step=step.id, what=what, remedy="write it as it was")


def _order(rollout: Rollout, plan: Plan) -> Iterator[EditProblem]:
    """Yield what is wrong where the rollout has passed, and where it stands."""
    pairs = zip(rollout.plan.steps, rollout.states, strict=True)
    passed = [step.id for step, _ in takewhile(lambda pair: pair[1].status.finished, pairs)]
    current = rollout.current
    begun = current is not None and _begun(rollout.state(current.id))
    if begun and current is not None:
        passed.append(current.id)
    found = [step.id for step in plan.steps[: len(passed)]]
    if found == passed:
        return
    old = {step.id for step in rollout.plan.steps}
    ids = {step.id for step in plan.steps}
    if not {*passed} <= ids:
        return  # said already
    where = next(here for here, there in zip(found, passed, strict=False) if here != there)
    last = passed[-1]
    moved = "moves" if where in old else "is new and stands"
    what = f"step {where} {moved} before {last}, where the rollout has passed"
    remedy = f"put it behind {last}, and leave what is over in its order"
    yield EditProblem(step=where, what=what, remedy=remedy)


def _begun(state: StepState) -> bool:
    """Return whether the step was tried already, even if it now rests before it is tried again."""
    return state.status is not StepStatus.PENDING or bool(state.tries)


def _state(
    before: Step, after: Step, state: StepState, fresh: StepState, now: datetime
) -> StepState:
    """Return how a step of the old plan stands in the new one."""
    asks = isinstance(after.action, Approve | AskPerson)
    same = replace(after, **_TOLD) == replace(before, **_TOLD)
    same = same and (after.title == before.title or not asks)
    if state.status.finished or same:
        return state
    if not _begun(state):
        return replace(fresh, undone=state.undone)
    until = _until(before, after, state, now)
    return replace(state, until=until, approved_by="", approval_note="", overrides=(), approvals=())


def _until(before: Step, after: Step, state: StepState, now: datetime) -> datetime | None:
    """Return until when a step that has begun goes on; `None` has it reckoned anew."""
    match before.action, after.action:
        case (Bake(duration=old), Bake(duration=new)):
            pass
        case (Wait(duration=old), Wait(duration=new)) if old is not None and new is not None:
            pass
        case _:
            return None
    return None if state.until is None else max(state.until + new - old, state.since or now)
