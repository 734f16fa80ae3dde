"""Which words look into the audit log, and undo what stands there?"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from flagstaff.commands.completing_here import flags
from flagstaff.commands.model import HIGHEST, ExportAudit, ListAudit, UndoEntry, VerifyAudit
from flagstaff.commands.moments import check_moment
from flagstaff.commands.overrides import with_overrides
from flagstaff.commands.tree import SETTINGS, Tree

_EXAMPLES = """\b
Examples:
  audit list --environment production --since 2d
  audit list --flag new_navigation --person ada --action flag.set
  audit export --format csv --since 2026-01-01 --until 2026-02-01
  audit verify
  audit undo 731 --reason "the wrong project"
"""


def _moment(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    return check_moment(text)


def _searching(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which entries are wanted."""
    options = (
        click.option(
            "--flag",
            default="",
            metavar="NAME",
            help="About this flag.",
            shell_complete=flags,
        ),
        click.option("--person", default="", metavar="NAME", help="Done by this person."),
        click.option("--environment", default="", metavar="NAME", help="Done there."),
        click.option(
            "--action", default="", metavar="ACTION", help="Such as flag.set, or flag for all."
        ),
        click.option("--rollout", type=click.IntRange(0, HIGHEST), default=0, metavar="ID"),
        click.option(
            "--since", default="", metavar="TIME", callback=_moment, help="From a time, or 2d ago."
        ),
        click.option(
            "--until", default="", metavar="TIME", callback=_moment, help="Before a time."
        ),
        click.option(
            "--before",
            type=click.IntRange(0, HIGHEST),
            default=0,
            metavar="ENTRY",
            help="Only entries before this one.",
        ),
    )
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), callback)


@click.group(
    "audit", cls=Tree, context_settings=SETTINGS, epilog=_EXAMPLES, short_help="What was done?"
)
def audit() -> None:
    """Look into the audit log, and undo what stands there."""


@audit.command("list", context_settings=SETTINGS)
@_searching
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="At most so many.")
def list_audit(**search: Any) -> ListAudit:
    """List what was done, newest first."""
    return ListAudit(**search)


@audit.command("export", context_settings=SETTINGS)
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    help="JSON lines, which can be verified elsewhere, or a table.",
)
@_searching
def export_audit(**search: Any) -> ExportAudit:
    """Write out what was done, oldest first."""
    return ExportAudit(**search)


@audit.command("verify", context_settings=SETTINGS)
def verify_audit() -> VerifyAudit:
    """Say whether the log is as it was written, and if not, from which entry on."""
    return VerifyAudit()


@audit.command("undo", context_settings=SETTINGS)
@click.argument("entry", metavar="ENTRY", type=click.IntRange(1, HIGHEST))
@with_overrides
@click.option("--reason", default="", metavar="TEXT", help="Why; goes into the audit log.")
def undo(*, entry: int, overrides: tuple[str, ...], reason: str) -> UndoEntry:
    """Put the gates back as they were before ENTRY, if nobody has changed them since."""
    return UndoEntry(entry=entry, overrides=overrides, reason=reason.strip())
