"""Which words import flags from another system?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from flagstaff.cli.options import Common
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.overrides import with_overrides
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import UsageError

SYSTEMS: Final = ("unleash", "flipper", "waffle", "launchdarkly", "growthbook")
LARGEST: Final = 100_000_000
"""Bytes of an export, or of a list of actors."""


@click.command("import", context_settings=SETTINGS, short_help="Import flags of another system.")
@click.argument("file", metavar="FILE")
@click.option(
    "--from", "system", type=click.Choice(SYSTEMS), help="Which system; else it is found out."
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="THEIRS=OURS",
    help="Which of ours is which of theirs; OURS alone if the file names none.",
)
@click.option("--actors", metavar="FILE", help="Whose answers to compare: an id or JSON a line.")
@click.option("--sample", type=click.IntRange(1, 1_000_000), help="Compare so many made-up actors.")
@click.option("--id-form", metavar="TEXT", help="How made-up ids look; usually User:{n}.")
@click.option("--match", default="", metavar="TEXT", help="Only flags whose name contains TEXT.")
@click.option("--accept-loss", is_flag=True, help="Import what fits of the others; the rest: off.")
@click.option("--write-definitions", is_flag=True, help="Write the YAML files that are missing.")
@click.option("--project", default=".", type=click.Path(path_type=Path, file_okay=False))
@with_overrides
@click.option("--reason", default="", metavar="TEXT", help="Why; goes into the audit log.")
@click.pass_obj
def import_file(common: Common, /, **options: Any) -> Outcome | int:
    """Import flags from the export of another system in FILE, `-` for standard input.

    Says first how many actors would change their answer. All flags change in one step, or none; a
    flag that cannot be said here as it is there is left out, with the place and the reason.
    """
    from flagstaff.cli.importing import Asked, Importing  # noqa: PLC0415 help needs none of it

    if options["actors"] and (options["sample"] or options["id_form"]):
        raise UsageError(
            "`--actors` and a sample are two answers to one question", hint="leave one of them out"
        )
    data = _bytes(options["file"], "the export")
    listed = _bytes(options["actors"], "the list of actors") if options["actors"] else None
    asked = Asked(data=data, listed=listed, source=_shown(options.pop("file")), **options)
    return Importing(common, asked).run()


def _shown(file: str) -> str:
    return "standard input" if file == "-" else file


def _bytes(file: str, what: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(LARGEST + 1)
    try:
        if Path(file).stat().st_size > LARGEST:
            raise UsageError(f"{file} is too large", hint=f"at most {LARGEST:,} bytes")
        return Path(file).read_bytes()
    except (OSError, ValueError) as exc:
        why = (getattr(exc, "strerror", None) or str(exc)).lower()
        raise UsageError(f"{what} {file} cannot be read: {why}", hint="name another file") from exc
