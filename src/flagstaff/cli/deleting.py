"""How is somebody asked before the state of many flags is deleted, an environment at a time?"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flagstaff.commands.life_model import DeleteUndefined
    from flagstaff.commands.outcome import Outcome


def confirmed(
    command: DeleteUndefined, common: Common, ask: Callable[[DeleteUndefined], Outcome]
) -> Outcome | DeleteUndefined | None:
    """Show what would go, and return the command for what somebody says yes to.

    An outcome is returned where there is nothing to ask about, `None` where all is declined.

    Raises:
        UsageError: there is nobody to ask, and no `--yes`.
    """
    if common.dry_run or command.confirm:
        return command
    shown = ask(command)
    found: dict[str, Any] = {name: each for name, each in shown.data.items() if each["flags"]}  # type: ignore[index,call-overload]
    if not found:
        return shown
    output.remark(shown.text)
    if not common.yes and not sys.stdin.isatty():
        raise UsageError(
            f"deleting the state of these flags in {' and '.join(found)} needs a yes",
            hint="add --yes, or look only with --dry-run",
        )
    chosen = [name for name in found if common.yes or _asked(name, len(found[name]["flags"]))]
    if not chosen:
        return None
    marks = tuple(found[name]["mark"] for name in chosen)
    return replace(command, environments=tuple(chosen), confirm=marks)


def _asked(environment: str, count: int) -> bool:
    flags = "1 flag" if count == 1 else f"{count} flags"
    return click.confirm(f"Delete the state of {flags} in {environment}?", err=True)
