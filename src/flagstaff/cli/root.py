"""Which commands are there on the terminal?"""

from __future__ import annotations

import click

from flagstaff.cli.completion import completion
from flagstaff.cli.project import init, lint
from flagstaff.cli.rollout_files import import_file
from flagstaff.cli.serving import demo, server
from flagstaff.cli.watching import watch
from flagstaff.commands.grammar import (
    auto_deploy,
    deployment,
    feature,
    flag,
    parse_line,
    release,
    rollout,
)
from flagstaff.commands.model import Command
from flagstaff.commands.tree import SETTINGS, Tree

COMMON_OPTIONS = """\b
Understood by every command, anywhere on the line:
  --json         the answer for programs
  --server URL   which server; else FLAGSTAFF_URL, else the one of this folder
  --dry-run      say what would happen, change nothing
  --yes          do not ask
"""


@click.group(
    cls=Tree, context_settings=SETTINGS, epilog=COMMON_OPTIONS, invoke_without_command=True
)
@click.version_option(package_name="flagstaff", prog_name="flagstaff")
@click.pass_context
def root(context: click.Context) -> None:
    """Feature-flag rollouts that run themselves."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@click.command(context_settings=SETTINGS)
@click.argument("line")
def run(*, line: str) -> Command:
    r"""Take a whole line as it stands in chat or in an issue.

    \b
    flagstaff run '/chatops run feature set new_navigation 25 --actors'
    """
    return parse_line(line)


_rollout = Tree(
    "rollout",
    commands={**rollout.commands, "import": import_file, "watch": watch},
    context_settings=SETTINGS,
    help=rollout.help,
    short_help=rollout.short_help,
    epilog=rollout.epilog,
)

for _command in (
    init,
    lint,
    server,
    demo,
    run,
    feature,
    flag,
    _rollout,
    auto_deploy,
    release,
    deployment,
    completion,
):
    root.add_command(_command)
