"""How do words on the command line become something done, and an exit code?

0 done, 1 refused or failed, 2 usage, 3 unreachable, 4 waiting for a person.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast, get_args

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common, take_common
from flagstaff.cli.root import root
from flagstaff.commands.grammar import explained
from flagstaff.commands.model import Command, DeleteFlag
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.remote import Server
from flagstaff.errors import DefinitionError, FlagstaffError, Unavailable, UsageError

COMMANDS = get_args(Command)
INTERRUPTED = 130


def run(words: Sequence[str]) -> int:
    """Do what the words ask for and return the exit code."""
    common = Common(json="--json" in words)
    try:
        common, rest = take_common(words)
        result = root.main(args=rest, prog_name="flagstaff", standalone_mode=False, obj=common)
        return _finish(result, common)
    except click.ClickException as exc:
        output.error(explained(exc, list(words)), as_json=common.json)
        return 2
    except FlagstaffError as exc:
        output.error(exc, as_json=common.json)
        return _code(exc)
    except (KeyboardInterrupt, click.Abort):
        output.remark("")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _finish(result: Any, common: Common) -> int:
    if isinstance(result, COMMANDS):
        command = cast("Command", result)
        _confirm(command, common)
        result = Server.find(common.server).execute(command, dry_run=common.dry_run)
    if isinstance(result, Outcome):
        output.outcome(result, as_json=common.json)
        return 0 if result.ok else 1
    return result if isinstance(result, int) else 0


def _confirm(command: Command, common: Common) -> None:
    """Ask before the state of production is deleted."""
    dangerous = isinstance(command, DeleteFlag) and "production" in command.environments
    if not dangerous or common.yes or common.dry_run:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "deleting a flag's state in production needs a yes",
            hint="add --yes, or look first with --dry-run",
        )
    flag = cast("DeleteFlag", command).flag
    click.confirm(f"Delete the state of {flag} in production?", abort=True, err=True)


def _code(error: FlagstaffError) -> int:
    match error:
        case UsageError() | DefinitionError():
            return 2
        case Unavailable():
            return 3
        case _:
            return 1
