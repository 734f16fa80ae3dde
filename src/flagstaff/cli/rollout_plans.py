"""How does a plan become a rollout from the terminal, and how is it edited there?"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.cli.plan_sources import is_yaml
from flagstaff.cli.rollout_files import answers_in, choices_in, is_on_forge, text_of
from flagstaff.commands.gate_change import flag_name
from flagstaff.commands.model import StartRollout
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.plan_model import EditRollout, PlanRollout, ShowPlan
from flagstaff.commands.rollout_words import which
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import FlagstaffError, UsageError

if TYPE_CHECKING:
    from flagstaff.commands.remote import Server

_HEAD = "# The plan of rollout {number}. What is over, and what has begun, stays as it is.\n"
_set = click.option(
    "answers", "--set", multiple=True, metavar="NAME=VALUE", help="What a <NAME> in it stands for."
)


@click.command("start", context_settings=SETTINGS)
@click.argument("what", metavar="ID|FLAG")
@click.option("--plan", default="", metavar="FILE|TEMPLATE", help="The plan for FLAG.")
@_set
@click.pass_obj
def start(
    common: Common, *, what: str, plan: str, answers: tuple[str, ...]
) -> StartRollout | PlanRollout | Outcome:
    """Begin the rollout ID, or one of FLAG after a plan.

    The plan is a FILE in YAML or a TEMPLATE; without one, the template for the flag's team or type.
    With --dry-run, when each step will be taken is said and nothing is begun.
    """
    command = _starting(what, plan, answers)
    return _rehearsed(command, common) if common.dry_run else command


def _rehearsed(command: StartRollout | PlanRollout, common: Common) -> Outcome:
    from flagstaff.cli.forecasting import with_forecasts  # noqa: PLC0415 help needs none
    from flagstaff.commands.remote import Server  # noqa: PLC0415 the same

    return with_forecasts(Server.find(common.server).execute(command, dry_run=True))


def _starting(what: str, plan: str, answers: tuple[str, ...]) -> StartRollout | PlanRollout:
    number = what.removeprefix("#")
    if number.isascii() and number.isdigit():
        if plan or answers:
            raise UsageError(
                f"`rollout start`: rollout {number} has its plan already",
                hint=f"edit it: flagstaff rollout edit {number}",
            )
        return StartRollout(rollout=int(number))
    flag = flag_name(what, place="rollout start")
    given = answers_in(answers)
    if is_yaml(plan) or plan == "-":
        text = text_of(plan)
        return PlanRollout(flag=flag, text=text, source=plan, parameters=given, start=True)
    return PlanRollout(flag=flag, template=plan, parameters=given, start=True)


@click.command("edit", context_settings=SETTINGS)
@which
@click.option("--plan", default="", metavar="FILE", help="The new plan in YAML; - for input.")
@click.option(
    "--from-issue",
    "issue",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[ISSUE]",
    help="Read the issue of the rollout again, or another: a file, or an address on a forge.",
)
@_set
@click.option(
    "chosen",
    "--choose",
    multiple=True,
    metavar="[LINE=]WAY",
    help="Which way to take where a box of the issue offers several.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why; goes into the audit log.")
@click.pass_obj
def edit(  # noqa: PLR0913 one for each option
    common: Common,
    *,
    rollout_id: int,
    plan: str,
    issue: str | None,
    answers: tuple[str, ...],
    chosen: tuple[str, ...],
    reason: str,
) -> Outcome | int:
    """Give the rollout ID another plan; where it stands it stays.

    Without --plan and --from-issue its plan is opened in your editor. What is different is shown
    before anything is done.
    """
    from flagstaff.commands.remote import Server  # noqa: PLC0415 help needs none

    if plan and issue is not None:
        raise UsageError(
            "`rollout edit`: a plan and an issue are named", hint="leave one of the two out"
        )
    server = Server.find(common.server)
    shown = server.execute(ShowPlan(rollout=rollout_id)).data
    command = EditRollout(rollout=rollout_id, reason=reason, tag=str(shown["tag"]))
    if issue is not None:
        path = issue or str(shown["issue_path"])
        if not path:
            raise UsageError(
                f"rollout {rollout_id} follows no issue",
                hint="name one: --from-issue ISSUE",
            )
        wanted = replace(
            command,
            issue=path if is_on_forge(path) else text_of(path),
            source=Path(path).name,
            placeholders=answers_in(answers),
            choices=choices_in(chosen),
        )
        return _edited(server, wanted, common)
    if plan:
        return _edited(server, replace(command, plan=text_of(plan), source=plan), common)
    return _in_editor(server, command, str(shown["plan"]), common)


def _in_editor(server: Server, command: EditRollout, plan: str, common: Common) -> Outcome | int:
    text = click.edit(_HEAD.format(number=command.rollout) + plan, extension=".yml")
    if text is None or not text.strip():
        output.remark("the plan is as it was; nothing was changed")
        return 1
    try:
        return _edited(server, replace(command, plan=text, source="plan"), common)
    except FlagstaffError as exc:
        kept = _keep(command.rollout, text)
        again = f"flagstaff rollout edit {command.rollout} --plan {kept} --reason …"
        exc.hint = f"{exc.hint}\n".lstrip() + f"your text is in {kept}; mend it, and: {again}"
        raise


def _keep(number: int, text: str) -> Path:
    """Write what somebody has typed to a file of its own."""
    at = 1
    while (path := Path(f"rollout-{number}-plan-{at}.yml")).exists():
        at += 1
    path.write_text(text, encoding="utf-8")
    return path


def _edited(server: Server, command: EditRollout, common: Common) -> Outcome | int:
    rehearsed = server.execute(command, dry_run=True)
    if common.dry_run or not rehearsed.data["difference"]:
        return rehearsed
    if not common.yes:
        if not sys.stdin.isatty():
            raise UsageError(
                f"to edit the plan of rollout {command.rollout} needs a yes",
                hint="add --yes, or look first with --dry-run",
            )
        output.remark(rehearsed.text)
        if not click.confirm("Give the rollout this plan?", err=True):
            output.remark("nothing was changed")
            return 1
    return server.execute(command)
