"""How does a rollout begin whose issue nobody has written yet?"""

from __future__ import annotations

from dataclasses import replace

from flagstaff.commands.environments import ENVIRONMENTS
from flagstaff.commands.model import CreateRollout, ImportRollout
from flagstaff.commands.outcome import Outcome
from flagstaff.definitions.forges import Forge, forge_named
from flagstaff.errors import UsageError
from flagstaff.issues.asked import check_answers
from flagstaff.issues.placeholders import Answers
from flagstaff.issues.state_labels import DISABLED, FEATURE_FLAG
from flagstaff.issues.template import built_in_template, issue_of
from flagstaff.rollouts.effect import OpenIssue
from flagstaff.services.forge_issues import forge_name_of
from flagstaff.services.importing import answers_for, import_rollout
from flagstaff.services.policies.change import PRODUCTION
from flagstaff.services.secret import new_secret
from flagstaff.services.unit import Unit
from flagstaff.store import outbox

OWNER, MILESTONE, NON_PRODUCTION = "owner", "milestone", "non-production"


def create_rollout(unit: Unit, command: CreateRollout) -> Outcome:
    """Write the issue of a rollout, make the rollout of it, and have a forge keep the issue.

    The rollout is there first, so that an issue is never made of a text that cannot be run.

    Raises:
        UsageError: it is not said where the issue is to be kept.
        ImportProblems: the template is no rollout issue.
        UsageError: the asker answers what the template does not ask.
    """
    unit.known_flag(command.flag)
    forge = forge_named(command.forge, unit.context.project.forges)
    project = command.project or forge.project
    if not project:
        raise UsageError(
            f"in which project of {forge.name} shall the issue be?",
            hint=f"write `project:` under `forges: {forge.name}:`, or give --project GROUP/PROJECT",
        )
    title, text, answers = _written(unit, command, forge)
    marker = f"flagstaff-rollout: {new_secret()[:24]}"
    text = f"{text.rstrip()}\n\n<!-- {marker} -->\n"
    imported = import_rollout(
        unit,
        # What the template asked is answered in the text already.
        ImportRollout(text=text, title=title, start=command.start),
    )
    number = int(str(imported.data["rollout"]))
    wanted = OpenIssue(
        key=f"{number}/issue",
        step="",
        forge=forge.name,
        project=project,
        title=title,
        text=text,
        marker=marker,
        since=unit.wall.isoformat(),
        labels=_labels(unit, command.flag),
        assignee=answers.get(OWNER, ""),
        milestone=answers.get(MILESTONE, ""),
    )
    outbox.add(unit.connection, number, (wanted,), unit.now)
    more = f"its issue will be in {project} on {forge.host}: {title}"
    return replace(
        imported,
        text=f"{imported.text}\n{more}",
        data={**imported.data, "forge": forge.name, "project": project, "title": title},
    )


def _written(unit: Unit, command: CreateRollout, forge: Forge) -> tuple[str, str, dict[str, str]]:
    project = unit.context.project
    elsewhere = [name for name in ENVIRONMENTS if name in project.environments]
    template = command.template or built_in_template()
    check_answers(template, command.placeholders, besides=(OWNER, MILESTONE))
    owner = forge_name_of(unit, unit.by, forge)
    answers = {
        NON_PRODUCTION: " ".join(f"--{name}" for name in elsewhere if name != PRODUCTION),
        **({OWNER: owner} if owner else {}),
        **project.placeholders,
        **answers_for(unit, template, command.flag, command.placeholders),
    }
    known = Answers(flag=command.flag, team=project.channels.get("team", ""), resolve=answers)
    title, text = issue_of(template, known)
    return command.title.strip() or title, text, answers


def _labels(unit: Unit, flag: str) -> tuple[str, ...]:
    """Return the labels of a new issue; a definition's group is a label where it is written so."""
    definition = unit.context.definitions().get(flag)
    group = (definition.group if definition else None) or ""
    return (FEATURE_FLAG, DISABLED, *([group] if group.startswith("group::") else []))
