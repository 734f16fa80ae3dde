"""Which words are there about flags that should go?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from flagstaff.commands.completing_here import flags
from flagstaff.commands.gate_change import flag_name
from flagstaff.commands.life_model import DeleteUndefined, ListStale, SetDue
from flagstaff.commands.model import DeleteFlag
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import UsageError
from flagstaff.flags.stale import StaleReason

REASONS = tuple(each.value for each in StaleReason)


@click.command("stale", context_settings=SETTINGS, short_help="Which flags should go, and why?")
@click.option("--reason", type=click.Choice(REASONS), help="Only those with this reason.")
@click.option("--type", "of_type", default="", metavar="TYPE", help="Only flags of this type.")
@click.option("--owner", default="", metavar="TEAM", help="Only flags of this team.")
@click.option("--fail", is_flag=True, help="Fail when there is any, for CI.")
def stale(*, reason: str | None, of_type: str, owner: str, fail: bool) -> ListStale:
    """List the flags that should go, each with every reason."""
    chosen = reason or ""
    return ListStale(reason=chosen, type=of_type, owner=owner, fail=fail)


@click.command("due", context_settings=SETTINGS, short_help="Until when has a flag to be gone?")
@click.argument("name", metavar="NAME", shell_complete=flags)
@click.argument("due", metavar="DATE")
@click.option("--reason", required=True, metavar="TEXT", help="Why; goes into the audit log.")
def due_date(*, name: str, due: str, reason: str) -> SetDue:
    """Say until when the flag NAME has to be gone.

    DATE is a day such as 2026-03-31, a length of time from now such as 30d, or `none` for no date
    of its own, so that the lifespan of its type alone counts.
    """
    if not reason.strip():
        raise UsageError("`feature due`: the reason is empty", hint="say why: --reason TEXT")
    return SetDue(flag=flag_name(name, place="feature due"), due=due, reason=reason)


def with_undefined(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for deleting what nobody has defined."""
    for add in reversed(
        (
            click.option(
                "--undefined", is_flag=True, help="In place of NAME: every flag without definition."
            ),
            click.option(
                "--environment",
                "named",
                multiple=True,
                metavar="NAME",
                help="In this environment; may be repeated.",
            ),
            click.option(
                "--confirm",
                multiple=True,
                metavar="MARK",
                help="With --undefined: the mark of what was shown.",
            ),
        )
    ):
        callback = add(callback)
    return callback


def deletion(  # noqa: PLR0913 one parameter per idea of the command
    context: click.Context,
    name: str | None,
    environments: tuple[str, ...],
    *,
    undefined: bool,
    named: tuple[str, ...],
    confirm: tuple[str, ...],
    reason: str,
    overrides: tuple[str, ...],
) -> DeleteFlag | DeleteUndefined:
    """Return the command that the words of `feature delete` ask for."""
    if named:
        chosen = [each for each in environments if _typed(context, each)]
        environments = tuple(dict.fromkeys((*chosen, *named)))
    if undefined:
        if name is not None:
            raise UsageError(
                "`feature delete`: a NAME and --undefined do not go together",
                hint="write one of the two",
            )
        return DeleteUndefined(
            environments=environments, confirm=confirm, reason=reason, overrides=overrides
        )
    if confirm:
        raise UsageError(
            "`feature delete`: --confirm is for --undefined alone", hint="leave --confirm out"
        )
    if name is None:
        missing = next(each for each in context.command.params if each.name == "name")
        raise click.MissingParameter(ctx=context, param=missing)
    flag = flag_name(name, place="feature delete")
    return DeleteFlag(flag=flag, environments=environments, reason=reason, overrides=overrides)


def _typed(context: click.Context, environment: str) -> bool:
    source = context.get_parameter_source("in_" + environment.replace("-", "_"))
    return source is ParameterSource.COMMANDLINE
