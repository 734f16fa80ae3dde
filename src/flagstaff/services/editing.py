"""How does a rollout get another plan while it is under way?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from flagstaff.commands.outcome import Json, Outcome
from flagstaff.commands.plan_model import EditRollout
from flagstaff.commands.roles import Role
from flagstaff.definitions.plans import plan_difference, read_plan
from flagstaff.errors import Changed, Conflict, DefinitionError, Problem, UsageError
from flagstaff.issues import import_issue
from flagstaff.issues.replanning import as_it_began, replanned
from flagstaff.rollouts.editing import edit, edit_problems, overruled
from flagstaff.rollouts.plan import Plan
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services import actors
from flagstaff.services.conditions import ANY, Condition
from flagstaff.services.finding import find_rollout
from flagstaff.services.importing import answers_of
from flagstaff.services.permissions import check_rollout, require
from flagstaff.services.planning import plan_tag, surroundings
from flagstaff.services.unit import Unit
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord

PASSES = "plan"
"""Stands where the names of overridden policies would, when an edit passes an approval by."""


def edit_rollout(unit: Unit, command: EditRollout) -> Outcome:
    """Give a rollout another plan, and record what is different and why.

    Raises:
        DefinitionError: everything that stands in the way, line by line.
        Forbidden: it takes a role that the asker has not.
        Changed: the plan is no longer the one that was edited.
    """
    if not command.reason.strip():
        raise UsageError(
            "to edit a plan, a reason is needed",
            hint="others will read it in the audit log: one line about why",
        )
    record = find_rollout(unit, command.rollout, lock=True)
    rollout = record.rollout
    if command.tag:
        _check_tag(rollout, (command.tag,))
    check_rollout(unit, rollout.plan)
    plan, lines = _plan(unit, command, record)
    if problems := edit_problems(rollout, plan):
        raise DefinitionError(
            tuple(
                Problem(
                    file=command.source,
                    line=lines.get(each.step, 0),
                    what=each.what,
                    remedy=each.remedy,
                )
                for each in problems
            )
        )
    passed = overruled(rollout, plan)
    check_rollout(unit, plan, (PASSES,) if passed else ())
    for role in {each.role for each in passed} & {*Role}:
        require(unit.by, Role(role), rollout.plan.changed_environments or plan.production)
    difference = plan_difference(rollout.plan, plan)
    edited = edit(rollout, plan, unit.now)
    data: dict[str, Json] = {
        "rollout": rollout.id,
        "flag": plan.flag,
        "difference": difference,
        "passes": [each.what for each in passed],
        "tag": plan_tag(plan),
    }
    if edited == rollout:
        return Outcome(text="nothing to do: this is its plan", data=data)
    issue = command.issue or None
    saved = store.save(unit.connection, record, edited, issue=issue)
    if saved is None:
        raise Conflict(
            f"rollout {rollout.id} was moved by somebody else at this moment", hint="try again"
        )
    actors.follow(unit, edited)
    unit.changed.add(f"rollout:{rollout.id}")
    summary = ", ".join(_counted(rollout.plan, plan))
    unit.record(
        "rollout.edit",
        flag=plan.flag,
        rollout_id=rollout.id,
        text=f"plan edited: {'; '.join((summary, *(each.what for each in passed)))}",
        reason=command.reason.strip(),
        after={"difference": difference.splitlines()},
    )
    said = [difference, *(f"note: this {each}" for each in passed)]
    current = edited.current
    at = f", at {current.id}: {current.title}" if current else ""
    said.append(f"the plan of rollout {rollout.id} of {plan.flag} has {summary}{at}")
    return Outcome(text="\n\n".join(said), data=data, next=f"flagstaff plan show {rollout.id}")


def plan_unchanged(number: int, tags: Collection[str]) -> Condition:
    """Return the condition that the plan of a rollout still has one of the tags."""

    def check(unit: Unit) -> None:
        if ANY not in tags:
            _check_tag(find_rollout(unit, number, lock=True).rollout, tags)

    return check


def _check_tag(rollout: Rollout, tags: Collection[str]) -> None:
    if plan_tag(rollout.plan) not in tags:
        raise Changed(
            f"the plan of rollout {rollout.id} was edited by somebody else meanwhile",
            hint=f"look at it again: flagstaff plan show {rollout.id}",
        )


def _plan(
    unit: Unit, command: EditRollout, record: RolloutRecord
) -> tuple[Plan, Mapping[str, int]]:
    """Return the new plan, and the lines in which its steps stand."""
    rollout = record.rollout
    if bool(command.plan.strip()) is bool(command.issue.strip()):
        raise UsageError(
            "an edit is either a plan in YAML or the text of the issue",
            hint="give one of the two",
        )
    if command.plan:
        around = surroundings(unit, flag=rollout.plan.flag, text=command.plan)
        read = read_plan(command.plan, replace(around, running=True), source=command.source)
        return read.plan, read.lines
    text = as_it_began(command.issue, rollout)
    imported = import_issue(
        text,
        project=unit.context.project,
        resolve=answers_of(unit, text, command.placeholders, named=rollout.plan.flag),
        choices=command.choices,
        known_flags={*unit.context.definitions(), rollout.plan.flag},
        source=command.source,
    )
    if imported.plan.flag != rollout.plan.flag:
        return imported.plan, {}
    plan = replanned(rollout, imported.plan)
    return plan, {step.id: step.line for step in plan.steps}


def _counted(before: Plan, after: Plan) -> Iterator[str]:
    """Yield how many steps are new, gone and other than they were."""
    old = {step.id: step for step in before.steps}
    new = {step.id: step for step in after.steps}
    yield f"{len(new.keys() - old.keys())} steps added"
    yield f"{len(old.keys() - new.keys())} taken out"
    changed = sum(old[each] != new[each] for each in old.keys() & new.keys())
    yield f"{changed} changed"
    kept = [each for each in old if each in new]
    if kept != [each for each in new if each in old]:
        yield "another order"
