"""Which words set, get, list and delete flags?"""

from __future__ import annotations

from typing import Any

import click

from flagstaff.commands.completing_here import flags
from flagstaff.commands.environments import with_any_environments, with_environments
from flagstaff.commands.expressions import expression_change, not_with_an_expression
from flagstaff.commands.gate_change import flag_name, gate_change
from flagstaff.commands.life_model import DeleteUndefined
from flagstaff.commands.life_words import deletion, due_date, stale, with_undefined
from flagstaff.commands.model import DeleteFlag, GetFlag, ListFlags, SetFlag
from flagstaff.commands.overrides import with_overrides
from flagstaff.commands.scopes import Scopes, with_scopes
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.flags.change import GateChange

_EXAMPLES = """\b
Examples:
  feature set new_navigation true --dev --staging
  feature set new_navigation 25 --actors
  feature set new_navigation true --project=gitlab-org/gitlab
  feature set new_navigation --expression '{"Equal": [{"Property": ["plan"]}, "gold"]}'
  feature get new_navigation --all
  feature delete new_navigation --dev --staging --production
  feature delete --undefined --staging
  feature stale --owner navigation
  feature due new_navigation 2026-03-31 --reason 'after the big sale'
"""


@click.group(
    "feature", cls=Tree, context_settings=SETTINGS, epilog=_EXAMPLES, short_help="Change flags."
)
def feature() -> None:
    """Set, get, list and delete feature flags."""


@feature.command("set", context_settings=SETTINGS, short_help="Open or close a flag's gates.")
@click.argument("name", metavar="NAME", shell_complete=flags)
@click.argument("value", metavar="VALUE", required=False)
@click.option("--actors", "of_actors", is_flag=True, help="The number is a share of actors.")
@click.option("--random", "of_time", is_flag=True, help="The number is a share of checks.")
@click.option(
    "--expression",
    metavar="JSON|none",
    help="In place of VALUE: for actors whose attributes match; none takes the condition away.",
)
@with_scopes
@with_environments
@with_overrides
@click.option("--reason", default="", metavar="TEXT", help="Why; goes into the audit log.")
@click.pass_context
def set_flag(  # noqa: PLR0913 one parameter per idea of the command
    context: click.Context,
    *,
    name: str,
    value: str | None,
    expression: str | None,
    of_actors: bool,
    of_time: bool,
    scopes: Scopes,
    environments: tuple[str, ...],
    overrides: tuple[str, ...],
    reason: str,
) -> SetFlag:
    """Set the flag NAME to VALUE: true, false, or a percentage from 0 to 100.

    A percentage needs `--actors` (each actor keeps its answer) or `--random` (each check draws
    anew).
    """
    flag = flag_name(name, place="feature set")
    change: GateChange
    if expression is not None:
        others = not_with_an_expression(scopes, of_actors=of_actors, of_time=of_time)
        change = expression_change(expression, value=value, others=others)
    elif value is None:
        missing = next(each for each in context.command.params if each.name == "value")
        raise click.MissingParameter(ctx=context, param=missing)
    else:
        change = gate_change(value, of_actors=of_actors, of_time=of_time, scopes=scopes)
    return SetFlag(
        flag=flag, environments=environments, change=change, reason=reason, overrides=overrides
    )


@feature.command("get", context_settings=SETTINGS)
@click.argument("name", metavar="NAME", shell_complete=flags)
@with_any_environments
def get_flag(*, name: str, environments: tuple[str, ...]) -> GetFlag:
    """Show the gates of the flag NAME."""
    return GetFlag(flag=flag_name(name, place="feature get"), environments=environments)


@feature.command("list", context_settings=SETTINGS)
@click.option("--match", default="", metavar="TEXT", help="Only names that contain TEXT.")
@with_any_environments
def list_flags(*, match: str, environments: tuple[str, ...]) -> ListFlags:
    """List the flags that are set."""
    return ListFlags(environments=environments, match=match)


@feature.command("delete", context_settings=SETTINGS)
@click.argument("name", metavar="NAME", required=False, shell_complete=flags)
@with_environments
@with_undefined
@with_overrides
@click.option("--reason", default="", metavar="TEXT", help="Why; goes into the audit log.")
@click.pass_context
def delete_flag(
    context: click.Context, /, *, name: str | None, environments: tuple[str, ...], **options: Any
) -> DeleteFlag | DeleteUndefined:
    """Remove what is set for the flag NAME, so that its default applies again.

    With --undefined: for every flag that is defined nowhere. What is to be deleted is shown first.
    """
    return deletion(context, name, environments, **options)


feature.add_command(stale)
feature.add_command(due_date)

flag = Tree(
    "flag",
    commands=feature.commands,
    context_settings=SETTINGS,
    epilog=_EXAMPLES.replace("  feature ", "  flag "),
    help=feature.help,
    short_help="The same as `feature`.",
)
