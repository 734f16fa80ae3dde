"""What does an issue on a forge say that is to become a rollout?

A forge may take its time, so it is asked before the transaction begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flagstaff.commands.model import Command, ImportRollout
from flagstaff.commands.plan_model import EditRollout
from flagstaff.commands.roles import Role
from flagstaff.definitions.forges import issue_at
from flagstaff.errors import UsageError
from flagstaff.services.permissions import require_somewhere
from flagstaff.services.person import Person
from flagstaff.services.unit import Context


def with_issues(context: Context, commands: Sequence[Command], by: Person) -> list[Command]:
    """Return the commands, with the text of every issue that is named by its address.

    Raises:
        FlagstaffError: an issue cannot be read, or the asker may not have it read.
    """
    return [_read(context, each, by) for each in commands]


def _read(context: Context, command: Command, by: Person) -> Command:
    match command:
        case ImportRollout() if command.issue:
            return _with_text(context, command, by)
        case EditRollout() if context.issues and issue_at(command.issue, context.project.forges):
            require_somewhere(by, Role.OPERATOR)
            found = context.issues.read(command.issue)
            return replace(command, issue=found.text, source=found.url)
        case _:
            return command


def _with_text(context: Context, command: ImportRollout, by: Person) -> ImportRollout:
    require_somewhere(by, Role.OPERATOR)
    if command.text or command.path:
        raise UsageError("an issue has an address or a text", hint="leave one of them out")
    if context.issues is None:
        raise UsageError(
            f"{command.issue[:200]} is an issue on a forge, and none is connected",
            hint="describe the forge under `forges:` in flagstaff.yml, or name a file",
        )
    found = context.issues.read(command.issue)
    return replace(command, issue=found.url, text=found.text, title=found.title)
