"""How does an issue become a rollout that can be trusted to run?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

from flagstaff.commands.model import ImportRollout
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.definitions import SETTINGS_FILE, load_project
from flagstaff.definitions.plans import write_plan
from flagstaff.definitions.plans.telling import schedule_json, schedule_text
from flagstaff.errors import Conflict, DefinitionError, ImportProblems, Problem
from flagstaff.issues import Imported, describe_import, flag_named_in, import_issue
from flagstaff.issues.asked import check_answers
from flagstaff.rollouts.plan import CheckDeployed, Close, CloseTarget, Plan, Preset
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services.rollouts import begin
from flagstaff.services.scheduling import schedule_of
from flagstaff.services.unit import Unit
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord

UNWATCHED = (
    "note: no guard watches this rollout, so nothing will roll it back by itself; "
    "guards are declared under `guards:` in flagstaff.yml"
)

UNREAD = (
    "note: {keys} in flagstaff.yml changed since the server was started, which goes by what stood "
    "there then: restart it, and begin the rollout anew"
)

UNFOLLOWED = (
    "note: the file of the issue stays as it is: the server writes only files that whoever owns "
    "its folder names; the page of the rollout shows how it would read"
)

MERGE_COMMIT = "merge-commit-of-your-feature"
FLAG_NAME = "feature-flag-name"


def import_rollout(unit: Unit, command: ImportRollout) -> Outcome:
    """Make a rollout of an issue, and begin it if asked; with problems, nothing is written.

    Raises:
        ImportProblems: everything that is wrong with the issue, line by line.
        Conflict: another rollout of the flag is not over yet.
    """
    source = command.issue or (Path(command.path).name if command.path else "issue")
    path = command.issue or (command.path if unit.by.owner else "")
    imported = import_issue(
        command.text,
        project=unit.context.project,
        resolve=answers_of(
            unit, command.text, command.placeholders, named=_titled(unit, command.title)
        ),
        choices=command.choices,
        known_flags=unit.context.definitions(),
        source=source,
    )
    imported = replace(imported, plan=_told_apart(unit, imported.plan, command.title))
    _check_commits(unit, imported.plan, source)
    lines = describe_import(imported)
    for note in notes_of(unit, imported.plan):
        lines += f"\n\n{note}"
    if path != (command.issue or command.path):
        lines += f"\n\n{UNFOLLOWED}"
    check_alone(unit, imported.plan.flag)
    record = store.add(
        unit.connection,
        RolloutRecord(
            rollout=Rollout.of(imported.plan),
            issue_path=path,
            issue_text=command.text,
            readings=(),
            revision=0,
            created_at=unit.now,
            created_by=unit.by.name,
        ),
    )
    number = record.rollout.id
    unit.changed.add(f"rollout:{number}")
    unit.record(
        "rollout.import", flag=imported.plan.flag, rollout_id=number, text=imported.plan.title
    )
    if command.start:
        begin(unit, record)
        verb, following = "imported and started", f"flagstaff rollout watch {number}"
    else:
        verb, following = "imported", f"flagstaff rollout start {number}"
    found = schedule_of(unit, record.rollout)
    if unit.rehearsal:
        lines += f"\n\n{schedule_text(found)}"
    said = f"rollout {number} of {imported.plan.flag} {verb}"
    if unit.rehearsal:
        said = f"a rollout of {imported.plan.flag} would be {verb}"
    text = f"{lines}\n\n{said}"
    data = _data(imported, number)
    data |= {"plan": write_plan(imported.plan), "schedule": schedule_json(found)}
    return Outcome(text=text, data=data, next=following)


def notes_of(unit: Unit, plan: Plan) -> tuple[str, ...]:
    """Return what somebody should know about a plan before it runs."""
    unread = _unread(unit)
    return (*(() if plan.guards else (UNWATCHED,)), *((unread,) if unread else ()))


def _unread(unit: Unit) -> str:
    """Return what of the project's settings the server has not read, as it was started before."""
    context = unit.context
    if not (context.root / SETTINGS_FILE).exists():
        return ""
    try:
        now = load_project(context.root)
    except DefinitionError as wrong:
        return f"note: flagstaff.yml is wrong since the server was started: {wrong.problems[0]}"
    names = [
        each.name
        for each in fields(now)
        if getattr(now, each.name) != getattr(context.project, each.name)
    ]
    return UNREAD.format(keys=", ".join(f"`{name}`" for name in names)) if names else ""


def answers_of(
    unit: Unit, text: str, placeholders: Mapping[str, str], *, named: str = ""
) -> dict[str, str]:
    """Return what placeholders mean: what the asker said, else what is known and the history says.

    `named` is the flag that the text is about, where that stands elsewhere, such as in a title.

    Raises:
        UsageError: the asker answers what the text does not ask.
    """
    check_answers(text, placeholders)
    flag = named or flag_named_in(text, unit.context.definitions())
    found = answers_for(unit, text, flag, placeholders)
    given = {key.strip("<>").lower() for key in found}
    return {FLAG_NAME: named, **found} if named and FLAG_NAME not in given else found


def answers_for(
    unit: Unit, text: str, flag: str, placeholders: Mapping[str, str]
) -> dict[str, str]:
    """Return what placeholders of a text about a flag mean, with what the history knows."""
    answers = dict(placeholders)
    repository = unit.context.repository
    if MERGE_COMMIT in {**unit.context.project.placeholders, **answers} or not flag:
        return answers
    if repository is not None and MERGE_COMMIT in text:
        introduced = repository.introduction(f"{unit.context.project.flags}/**/{flag}.y*ml")
        if introduced is not None:
            answers[MERGE_COMMIT] = introduced.sha
    return answers


def _titled(unit: Unit, title: str) -> str:
    """Return the flag that the title of an issue names, empty where it names none."""
    return flag_named_in(f"<!-- Title: {title} -->", unit.context.definitions()) if title else ""


def _told_apart(unit: Unit, plan: Plan, title: str) -> Plan:
    """Return the plan with the issue's own title, and with the flag's feature issue to close."""
    definition = unit.context.definitions().get(plan.flag)
    reference = (definition.feature_issue_url if definition else None) or ""
    steps = tuple(
        replace(step, action=replace(step.action, reference=reference))
        if isinstance(step.action, Close)
        and step.action.target is CloseTarget.FEATURE_ISSUE
        and not step.action.reference
        else step
        for step in plan.steps
    )
    words = " ".join(title.replace("`", "").split())
    return replace(plan, steps=steps, title=words or plan.title)


def _check_commits(unit: Unit, plan: Plan, source: str) -> None:
    problems = []
    for step in plan.steps:
        if step.preset is not Preset.OPEN or not isinstance(step.action, CheckDeployed):
            continue
        if unit.context.history.find(step.action.sha) is None:
            problem = Problem(
                file=source,
                line=step.line,
                what=f"the repository knows no commit {step.action.sha}",
                remedy="fetch it, or write the hash of a commit that is there",
            )
            problems.append(problem)
    if problems:
        raise ImportProblems(tuple(problems))


def check_alone(unit: Unit, flag: str) -> None:
    """Refuse a second rollout of a flag.

    Raises:
        Conflict: another one is not over yet.
    """
    running = store.find(unit.connection, active=True, flag=flag)
    if running:
        other = running[0].rollout
        raise Conflict(
            f"rollout {other.id} of {flag} is {other.phase} and not over yet",
            hint=f"finish it, or: flagstaff rollout abort {other.id} --reason WHY",
        )


def _data(imported: Imported, number: int) -> dict[str, Json]:
    return {
        "rollout": number,
        "flag": imported.plan.flag,
        "lines": [
            {
                "line": each.line,
                "text": each.text,
                "understood_as": each.understood_as,
                "detail": each.detail,
                "steps": list(each.steps),
                "certainty": each.certainty,
                "hint": each.hint,
            }
            for each in imported.lines
        ],
        "choices": [
            {
                "line": choice.line,
                "options": [option.name for option in choice.options],
                "taken": choice.taken,
                "why": choice.why,
            }
            for choice in imported.choices
        ],
        "notes": list(imported.plan.notes),
    }
