"""How do words on the command line become something done, and an exit code?

0 done, 1 refused or failed, 2 usage, 3 unreachable, 4 waiting for a person.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from flagstaff.cli import output
from flagstaff.cli.options import Common, take_common
from flagstaff.cli.root import root
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.tree import explained
from flagstaff.errors import DefinitionError, FlagstaffError, Unavailable, UsageError

if TYPE_CHECKING:
    from flagstaff.commands.model import Command

PROGRAM = "flagstaff"
COMPLETION = "_FLAGSTAFF_COMPLETE"
INTERRUPTED = 130


def run(words: Sequence[str]) -> int:
    """Do what the words ask for and return the exit code."""
    common = Common(json="--json" in words)
    output.prepare()
    try:
        if COMPLETION in os.environ:
            root.main(prog_name=PROGRAM, complete_var=COMPLETION)
        common, rest = take_common(words)
        return _finish(_called(rest, common), common)
    except Exit as exc:
        return exc.exit_code
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
        output.give_up()
        return 0


def _called(words: list[str], common: Common) -> Any:
    """Call the command; `root.main` would swallow what a reader that left and Ctrl-C raise."""
    with root.make_context(PROGRAM, words, obj=common) as context:
        return root.invoke(context)


def _finish(result: Any, common: Common) -> int:
    if result is None or isinstance(result, int):
        return result or 0
    if not isinstance(result, Outcome):
        result = _chosen(result, common)
    if not isinstance(result, Outcome):
        if result is None or not _confirmed(result, common):
            output.remark("nothing was changed")
            return 1
        result = _executed(result, common)
    output.outcome(result, as_json=common.json)
    return 0 if result.ok else 1


def _chosen(command: Command, common: Common) -> Command | Outcome | None:
    """Return what is left of a command after somebody has seen what it would delete."""
    from flagstaff.commands.life_model import DeleteUndefined  # noqa: PLC0415 as below

    if not isinstance(command, DeleteUndefined):
        return command
    from flagstaff.cli.deleting import confirmed  # noqa: PLC0415 for this command alone

    return confirmed(command, common, lambda asked: _executed(asked, common))


def _executed(command: Command, common: Common) -> Outcome:
    from flagstaff.commands.remote import Server  # noqa: PLC0415 help and usage errors need none

    return Server.find(common.server).execute(command, dry_run=common.dry_run)


def _confirmed(command: Command, common: Common) -> bool:
    """Ask before the state of production is deleted."""
    from flagstaff.commands.model import DeleteFlag  # noqa: PLC0415 loaded by now, or not needed

    if not isinstance(command, DeleteFlag) or "production" not in command.environments:
        return True
    if common.yes or common.dry_run:
        return True
    if not sys.stdin.isatty():
        raise UsageError(
            f"deleting the state of {command.flag} in production needs a yes",
            hint="add --yes, or look first with --dry-run",
        )
    return click.confirm(f"Delete the state of {command.flag} in production?", err=True)


def _code(error: FlagstaffError) -> int:
    match error:
        case UsageError() | DefinitionError():
            return 2
        case Unavailable():
            return 3
        case _:
            return 1
