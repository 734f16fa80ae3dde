"""Which words let background jobs run, put them off or throw them away?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from flagstaff.commands.environments import with_environments
from flagstaff.commands.job_model import ListSwitches, SwitchJobs
from flagstaff.commands.overrides import with_overrides
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.errors import UsageError
from flagstaff.flags.percentage import parse_percentage
from flagstaff.flags.switches import is_task_name

EXAMPLES = """\b
Examples:
  workers defer shop.notify --reason "the mail server is down"
  workers run shop.notify --percentage 10
  workers run shop.notify
  workers drop shop.report
  workers list
"""


@click.group(
    "workers",
    cls=Tree,
    context_settings=SETTINGS,
    epilog=EXAMPLES,
    short_help="Put background jobs off, or drop them.",
)
def workers() -> None:
    """Let background jobs run, put them off, or throw them away."""


def _switch(action: str, about: str) -> None:
    callback: Callable[..., Any] = click.argument("task", metavar="TASK")(_switched(action))
    for option in (
        with_environments,
        with_overrides,
        click.option("--percentage", default="100", metavar="N", help="For so many of them, in %."),
        click.option("--reason", default="", metavar="TEXT", help="Why; goes into the audit log."),
    ):
        callback = option(callback)
    workers.command(action, context_settings=SETTINGS, help=about)(callback)


def _switched(action: str) -> Callable[..., SwitchJobs]:
    def switch(
        *,
        task: str,
        percentage: str,
        environments: tuple[str, ...],
        reason: str,
        overrides: tuple[str, ...],
    ) -> SwitchJobs:
        if not is_task_name(task):
            raise UsageError(
                f"`workers {action}`: {task[:60]!r} is no name of a job",
                hint="write it as the task is registered, such as shop.notify",
            )
        return SwitchJobs(
            task=task,
            action=action,
            percentage=parse_percentage(percentage.removesuffix("%")),
            environments=environments,
            reason=reason.strip(),
            overrides=overrides,
        )

    return switch


_switch("defer", "Put jobs of TASK off: each comes again later, until they may run.")
_switch("drop", "Throw jobs of TASK away, without running them.")
_switch("run", "Let jobs of TASK run, or a share of them; the others are put off.")


@workers.command("list", context_settings=SETTINGS)
@with_environments
def list_switches(*, environments: tuple[str, ...]) -> ListSwitches:
    """List the jobs that do not all run, and since when."""
    return ListSwitches(environments=environments)
