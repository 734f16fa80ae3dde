"""Which approvals would an edit of a plan pass by, or which policies, so that it takes more say?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flagstaff.rollouts.plan import Approve, AskPerson, DeleteFlag, Plan, SetGate, Step
from flagstaff.rollouts.reaching import share_of, widest
from flagstaff.rollouts.rollout import Phase, Rollout

ASKING = (Approve, AskPerson)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What an edit takes away from those with a say, and the role that they need, if any."""

    what: str
    role: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        return self.what


def overruled(rollout: Rollout, plan: Plan) -> tuple[Passed, ...]:
    """Return what an edit takes away from those who have a say, in words; empty when nothing.

    An approval that is not given yet may not go, nor change what it asks for, nor may the flag be
    opened before it further than the plan had it; and no step gets overrides.
    """
    if rollout.phase is Phase.PENDING:
        return ()
    return tuple(dict.fromkeys((*_approvals(rollout, plan), *_overrides(rollout, plan))))


def _approvals(rollout: Rollout, plan: Plan) -> Iterator[Passed]:
    new = [step.id for step in plan.steps]
    for at, (step, state) in enumerate(zip(rollout.plan.steps, rollout.states, strict=True)):
        if state.status.finished or not isinstance(step.action, ASKING):
            continue
        role = step.action.role if isinstance(step.action, Approve) else ""
        if step.id not in new or _asks_other(step, plan.step(step.id)):
            yield Passed(what=f"takes away the approval {step.id}", role=role)
            continue
        ahead = [each for each in plan.steps[: new.index(step.id)] if _is_open(rollout, each.id)]
        for each in ahead:
            if not _was_to_be(each, rollout.plan.steps[:at]):
                yield Passed(what=f"has {each.id} before the approval {step.id}", role=role)


def _asks_other(step: Step, after: Step) -> bool:
    """Return whether a step asks for less, or is asked only sometimes."""
    return (step.action, step.when, step.requires, step.timeout, step.on_fail) != (
        after.action,
        after.when,
        after.requires,
        after.timeout,
        after.on_fail,
    )


def _is_open(rollout: Rollout, step_id: str) -> bool:
    return not any(each.id == step_id and each.status.finished for each in rollout.states)


def _was_to_be(step: Step, before: Sequence[Step]) -> bool:
    """Return whether what the step does was to be done by the steps before, or does no more."""
    action = step.action
    if not isinstance(action, SetGate | DeleteFlag):
        return True
    if isinstance(action, DeleteFlag):
        return any(
            isinstance(each.action, DeleteFlag)
            and {*action.environments} <= {*each.action.environments}
            for each in before
        )
    same = any(
        isinstance(each.action, SetGate)
        and each.action.change == action.change
        and {*action.environments} <= {*each.action.environments}
        for each in before
    )
    share = share_of(action.change)
    return same or (
        share is not None and all(share <= widest(before, each) for each in action.environments)
    )


def _overrides(rollout: Rollout, plan: Plan) -> Iterator[Passed]:
    old = {step.id: step.action for step in rollout.plan.steps}
    for step in plan.steps:
        before = old.get(step.id)
        known = before.overrides if isinstance(before, SetGate) else ()
        if isinstance(step.action, SetGate) and {*step.action.overrides} - {*known}:
            yield Passed(what=f"overrules {', '.join(step.action.overrides)} at {step.id}")
