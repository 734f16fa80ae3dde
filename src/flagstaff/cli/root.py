"""Which commands are there on the terminal?"""

from __future__ import annotations

from typing import Final

import click

from flagstaff.cli.lazy import Entry, LazyTree
from flagstaff.commands.tree import SETTINGS

COMMON_OPTIONS: Final = """\b
Understood by every command, anywhere on the line:
  --json         the answer for programs
  --server URL   which server; else FLAGSTAFF_URL, else the one of this folder
  --dry-run      say what would happen, change nothing
  --yes          do not ask

\b
Exit codes: 0 done, 1 refused or failed, 2 the words are wrong, 3 no server answers,
4 waiting for a person.
"""

_CLI: Final = "flagstaff.cli"
_WORDS: Final = "flagstaff.commands"
TABLE: Final = {
    "init": Entry(f"{_CLI}.init:init", "Make a project ready."),
    "lint": Entry(f"{_CLI}.lint:lint", "Check flagstaff.yml and every definition."),
    "server": Entry(f"{_CLI}.serving:server", "Run the engine, the API and the dashboard."),
    "edge": Entry(f"{_CLI}.edge:edge", "Serve flags near applications, read-only."),
    "demo": Entry(f"{_CLI}.serving:demo", "See it all work, on an application of its own."),
    "plan": Entry(f"{_CLI}.planning:plan", "Write plans, check them, see what they do."),
    "rollout": Entry(f"{_CLI}.rollout_group:rollout", "Import, watch and steer rollouts."),
    "feature": Entry(f"{_CLI}.feature_group:feature", "Change flags, and import them."),
    "flag": Entry(f"{_CLI}.feature_group:flag", "The same as `feature`."),
    "cleanup": Entry(f"{_CLI}.cleaning:cleanup", "Remove a flag from the code."),
    "auto_deploy": Entry(f"{_CLI}.release_group:auto_deploy", "What runs where?"),
    "release": Entry(f"{_WORDS}.release_words:release", "What is released?"),
    "deployment": Entry(f"{_CLI}.release_group:deployment", "Record what runs where."),
    "workers": Entry(f"{_CLI}.workers_group:workers", "Rename background jobs, put them off."),
    "backup": Entry(f"{_CLI}.keeping:backup", "Copy the database to a file."),
    "restore": Entry(f"{_CLI}.keeping:restore", "Put a copy back in its place."),
    "audit": Entry(f"{_WORDS}.audit_words:audit", "What was done, and undo it."),
    "lock": Entry(f"{_WORDS}.lock_words:lock", "Let nothing open wider for now."),
    "unlock": Entry(f"{_WORDS}.lock_words:unlock", "Let flags open again."),
    "incident": Entry(f"{_WORDS}.lock_words:incident", "Say that there is an incident."),
    "oncall": Entry(f"{_WORDS}.on_call_words:oncall", "Who is on call?"),
    "person": Entry(f"{_WORDS}.person_words:person", "Who may do what?"),
    "token": Entry(f"{_WORDS}.person_words:token", "Let programs in."),
    "run": Entry(f"{_CLI}.whole_line:run", "Take a line as it stands in chat or in an issue."),
    "completion": Entry(f"{_CLI}.completion:completion", "Let your shell complete these words."),
}


@click.group(
    cls=LazyTree,
    table=TABLE,
    context_settings=SETTINGS,
    epilog=COMMON_OPTIONS,
    invoke_without_command=True,
)
@click.version_option(package_name="flagstaff", prog_name="flagstaff")
@click.pass_context
def root(context: click.Context) -> None:
    """Feature-flag rollouts that run themselves."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
