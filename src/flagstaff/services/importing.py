"""How does an issue become a rollout that can be trusted to run?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flagstaff.commands.model import ImportRollout
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.errors import Conflict, ImportProblems, Problem
from flagstaff.issues import Imported, describe_import, flag_named_in, import_issue
from flagstaff.rollouts.plan import CheckDeployed, Close, CloseTarget, Plan, Preset
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services.rollouts import begin
from flagstaff.services.unit import Unit
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord

UNWATCHED = (
    "note: no guard watches this rollout, so nothing will roll it back by itself; "
    "guards are declared under `guards:` in flagstaff.yml"
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
        resolve=_answers(unit, command),
        known_flags=unit.context.definitions(),
        source=source,
    )
    imported = replace(imported, plan=_told_apart(unit, imported.plan, command.title))
    _check_commits(unit, imported.plan, source)
    lines = describe_import(imported)
    if not imported.plan.guards:
        lines += f"\n\n{UNWATCHED}"
    if path != (command.issue or command.path):
        lines += f"\n\n{UNFOLLOWED}"
    _check_alone(unit, imported.plan.flag)
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
    text = f"{lines}\n\nrollout {number} of {imported.plan.flag} {verb}"
    return Outcome(text=text, data=_data(imported, number), next=following)


def _answers(unit: Unit, command: ImportRollout) -> dict[str, str]:
    """Return what placeholders mean: what the asker said, else what title and history know."""
    definitions = unit.context.definitions()
    titled = flag_named_in(f"<!-- Title: {command.title} -->", definitions) if command.title else ""
    flag = titled or flag_named_in(command.text, definitions)
    found = answers_for(unit, command.text, flag, command.placeholders)
    given = {key.strip("<>").lower() for key in found}
    return {FLAG_NAME: titled, **found} if titled and FLAG_NAME not in given else found


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


def _check_alone(unit: Unit, flag: str) -> None:
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
            }
            for each in imported.lines
        ],
    }
