"""What will a rollout do, before it begins, and what will its guards be able to tell?"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flagstaff.cli import output
from flagstaff.cli.forecasting import forecasts_of
from flagstaff.cli.new_plan import new, templates
from flagstaff.cli.options import Common
from flagstaff.cli.plan_sources import is_yaml, plan_in, project_here
from flagstaff.cli.rollout_files import answers_in
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.commands.plan_model import ShowPlan
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.rollouts.plan import AskPerson, OpenCleanup, Preset, SetGate

if TYPE_CHECKING:
    from flagstaff.rollouts.plan import Plan

_set = click.option(
    "answers", "--set", multiple=True, metavar="NAME=VALUE", help="What a <NAME> in it stands for."
)


@click.group(cls=Tree, context_settings=SETTINGS)
def plan() -> None:
    """See what a rollout will do, before it begins."""


plan.add_command(new)
plan.add_command(templates)


@plan.command(context_settings=SETTINGS)
@click.argument("file", metavar="FILE")
@_set
@click.pass_obj
def check(common: Common, *, file: str, answers: tuple[str, ...]) -> Outcome:
    """Say what is wrong with the plan in FILE (YAML, or an issue), and what its guards can tell.

    Reads `flagstaff.yml` and the job logs of the last day in this folder, and asks the metric
    sources of the guards what there was in that time; no server of ours is asked.
    """
    del common
    found = plan_in(file, answers_in(answers))
    told = forecasts_of(found, ask=True)
    left = [] if is_yaml(file) else _left_to_people(found)
    warnings = [
        *told.warnings,
        *([] if found.guards else ["no guard watches this rollout"]),
        *_never_opened(found),
    ]
    text = "\n".join([*left, *told.lines, *(f"warning: {each}" for each in warnings)])
    data: dict[str, Json] = {"left": [*left], "stages": [*told.lines], "warnings": [*warnings]}
    return Outcome(ok=not warnings, text=text, data=data)


def _left_to_people(found: Plan) -> list[str]:
    """Return the lines of an issue that nothing does by itself."""
    return [
        f"line {each.line} is left to a person: {each.title}"
        for each in found.steps
        if isinstance(each.action, AskPerson) and each.preset is Preset.OPEN
    ]


def _never_opened(found: Plan) -> list[str]:
    """Return a warning where the flag is cleaned up that no step has opened in production."""
    left = [each.action for each in found.steps if each.preset is Preset.OPEN]
    opens = [
        each.action
        for each in found.steps
        if isinstance(each.action, SetGate)
        and each.preset is not Preset.SKIPPED
        and set(each.action.environments) & set(found.production)
    ]
    if opens or not any(isinstance(each, OpenCleanup) for each in left):
        return []
    return [
        "the flag is cleaned up as if it were on for everyone, and no step opens it in production"
    ]


@plan.command(context_settings=SETTINGS)
@click.argument("source", metavar="FILE|ROLLOUT")
@click.option("as_yaml", "--yaml", is_flag=True, help="The whole plan as YAML.")
@_set
@click.pass_obj
def show(common: Common, *, source: str, as_yaml: bool, answers: tuple[str, ...]) -> Outcome | int:
    """Show the plan of a FILE (YAML, or an issue) or of a ROLLOUT, and when its steps are taken."""
    number = source.removeprefix("#")
    if number.isascii() and number.isdigit() and not Path(source).exists():
        from flagstaff.commands.remote import Server  # noqa: PLC0415 a file needs no server

        shown = Server.find(common.server).execute(ShowPlan(rollout=int(number)))
    else:
        shown = _shown(plan_in(source, answers_in(answers)))
    if as_yaml and not common.json:
        output.say(str(shown.data["plan"]).rstrip("\n"))
        return 0
    return shown


def _shown(found: Plan) -> Outcome:
    # Loads YAML, which help does not need.
    from flagstaff.definitions.plans import write_plan  # noqa: PLC0415
    from flagstaff.definitions.plans.telling import (  # noqa: PLC0415
        schedule_json,
        schedule_text,
        windows_of,
    )
    from flagstaff.rollouts.rollout import Rollout  # noqa: PLC0415
    from flagstaff.rollouts.schedule import schedule  # noqa: PLC0415

    project = project_here().project
    taken = schedule(
        Rollout.of(found),
        datetime.now(UTC),
        windows=windows_of(project),
        least=project.policies.min_dwell,
        tells=forecasts_of(found).by_step,
    )
    data: dict[str, Json] = {
        "flag": found.flag,
        "plan": write_plan(found),
        "schedule": schedule_json(taken),
    }
    return Outcome(text=schedule_text(taken), data=data)
