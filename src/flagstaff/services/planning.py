"""How does a plan in YAML become a rollout, and when will its steps be taken?"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flagstaff.commands.codec import encode
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.plan_model import PlanRollout, ShowPlan
from flagstaff.definitions.plans import (
    Surroundings,
    default_template,
    flag_in,
    parameters_of,
    read_plan,
    template_names,
    write_plan,
)
from flagstaff.definitions.plans.telling import schedule_json, schedule_text
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import UsageError
from flagstaff.rollouts.plan import CheckDeployed, Plan, Preset
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services.finding import find_rollout
from flagstaff.services.importing import MERGE_COMMIT, check_alone, notes_of
from flagstaff.services.rollouts import begin
from flagstaff.services.scheduling import schedule_of
from flagstaff.services.unit import Unit
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord

_DIGITS = 16


def plan_rollout(unit: Unit, command: PlanRollout) -> Outcome:
    """Make a rollout of a plan, and begin it if asked; with problems, nothing is written.

    Raises:
        DefinitionError: everything that is wrong with the plan, line by line.
        Conflict: another rollout of the flag is not over yet.
    """
    text, source = _text(unit, command)
    flag = command.flag or flag_in(text)
    around = surroundings(unit, flag=flag, text=text, answers=command.parameters)
    plan = read_plan(text, around, source=source).plan
    _check_commits(unit, plan)
    check_alone(unit, plan.flag)
    record = store.add(
        unit.connection,
        RolloutRecord(
            rollout=Rollout.of(plan),
            issue_path="",
            issue_text="",
            readings=(),
            revision=0,
            created_at=unit.now,
            created_by=unit.by.name,
        ),
    )
    number = record.rollout.id
    unit.changed.add(f"rollout:{number}")
    unit.record("rollout.plan", flag=plan.flag, rollout_id=number, text=plan.title)
    found = schedule_of(unit, record.rollout)
    if command.start:
        begin(unit, record)
    verb = "planned and started" if command.start else "planned"
    following = "watch" if command.start else "start"
    lines = [schedule_text(found), *notes_of(unit, plan)]
    return Outcome(
        text="\n\n".join([*lines, f"rollout {number} of {plan.flag} {verb}"]),
        data={
            "rollout": number,
            "flag": plan.flag,
            "plan": write_plan(plan),
            "schedule": schedule_json(found),
        },
        next=f"flagstaff rollout {following} {number}",
    )


def show_plan(unit: Unit, command: ShowPlan) -> Outcome:
    """Show the plan of a rollout as YAML, with its tag and schedule.

    Raises:
        NotFound: there is none with this number.
    """
    record = find_rollout(unit, command.rollout)
    text = schedule_text(schedule_of(unit, record.rollout))
    return Outcome(text=text, data=plan_data(unit, record))


def plan_of(unit: Unit, number: int) -> dict[str, Any]:
    """Return the plan of the rollout with a number, for programs.

    Raises:
        NotFound: there is none.
    """
    return plan_data(unit, find_rollout(unit, number))


def templates(unit: Unit) -> dict[str, dict[str, str | None]]:
    """Return the templates by name, with their parameters."""
    around = surroundings(unit)
    names = template_names(around.root, around.project)
    return {name: parameters_of(name, around) for name in names}


def plan_data(unit: Unit, record: RolloutRecord) -> dict[str, Any]:
    """Return the plan of a rollout for programs."""
    plan, on_forge = record.rollout.plan, is_web_address(record.issue_path)
    return {
        "rollout": record.rollout.id,
        "flag": plan.flag,
        "plan": write_plan(plan),
        "tag": plan_tag(plan),
        "issue_path": record.issue_path if unit.by.owner or on_forge else "",
        "schedule": schedule_json(schedule_of(unit, record.rollout)),
    }


def plan_tag(plan: Plan) -> str:
    """Return a short text that is another one whenever the plan is."""
    text = json.dumps(encode(plan), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def surroundings(
    unit: Unit, *, flag: str = "", text: str = "", answers: dict[str, str] | None = None
) -> Surroundings:
    """Return what a plan is read with; the history answers for the commit of the feature."""
    offers = {}
    repository = unit.context.repository
    wanted = f"<{MERGE_COMMIT}>" in text or "extends:" in text
    if wanted and flag and repository is not None:
        commit = repository.introduction(f"{unit.context.project.flags}/**/{flag}.y*ml")
        offers = {MERGE_COMMIT: commit.sha} if commit else {}
    return Surroundings(
        root=unit.context.root,
        project=unit.context.project,
        known_flags=unit.context.definitions(),
        flag=flag,
        answers=answers or {},
        offers=offers,
    )


def _text(unit: Unit, command: PlanRollout) -> tuple[str, str]:
    """Return the plan, and what messages call it."""
    if command.text and command.template:
        raise UsageError(
            "a plan and a template are named, and only one can be meant",
            hint="write `extends: TEMPLATE` into the plan",
        )
    if command.text:
        return command.text, command.source
    if not command.flag:
        raise UsageError("no flag is named", hint="name the flag that is to be rolled out")
    unit.known_flag(command.flag)
    definition = unit.context.definitions().get(command.flag)
    name = command.template or default_template(definition, unit.context.project)
    return f"extends: {json.dumps(name)}\n", f"template {name}"


def _check_commits(unit: Unit, plan: Plan) -> None:
    """Refuse commits that the history does not know.

    Raises:
        UsageError: with the first of them.
    """
    for step in plan.steps:
        if step.preset is not Preset.OPEN or not isinstance(step.action, CheckDeployed):
            continue
        if unit.context.history.find(step.action.sha) is None:
            raise UsageError(
                f"step {step.id}: the repository knows no commit {step.action.sha}",
                hint="fetch it, or write the hash of a commit that is there",
            )
