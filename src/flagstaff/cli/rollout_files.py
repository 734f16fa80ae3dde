"""How does an issue in a file become a rollout?"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from flagstaff.cli.options import Common
from flagstaff.commands.model import ImportRollout
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import UsageError

UTF8_BOM = "\ufeff"
LARGEST = 1_000_000
"""Bytes; the server takes little more in one request."""


@click.command("import", context_settings=SETTINGS)
@click.argument("issue", metavar="ISSUE")
@click.option(
    "answers", "--set", multiple=True, metavar="NAME=VALUE", help="What a <NAME> in it stands for."
)
@click.option(
    "chosen",
    "--choose",
    multiple=True,
    metavar="[LINE=]WAY",
    help="Which way to take where the box at LINE offers several, such as 36=random.",
)
@click.option("--start", is_flag=True, help="Begin at once.")
@click.option("--no-follow", is_flag=True, help="Leave the file as it is while the rollout runs.")
@click.pass_obj
def import_file(
    common: Common,
    *,
    issue: str,
    answers: tuple[str, ...],
    chosen: tuple[str, ...],
    start: bool,
    no_follow: bool,
) -> ImportRollout | Outcome:
    """Make a rollout of an issue: a file, `-` for standard input, or an address on a forge.

    An address is that of its page, or GROUP/PROJECT#NUMBER. Its boxes are ticked and results noted
    there as the rollout goes on. With --dry-run nothing is written, and every line is shown with
    what it was understood as, and when each step will be taken.
    """
    placeholders, choices = answers_in(answers), choices_in(chosen)
    command = _importing(issue, follow=issue != "-" and not no_follow)
    command = replace(command, placeholders=placeholders, choices=choices, start=start)
    if not common.dry_run:
        return command
    from flagstaff.cli.forecasting import with_forecasts  # noqa: PLC0415 help needs none
    from flagstaff.commands.remote import Server  # noqa: PLC0415 the same

    return with_forecasts(Server.find(common.server).execute(command, dry_run=True))


def _importing(issue: str, *, follow: bool) -> ImportRollout:
    """Return the command that imports an issue, wherever it is."""
    if not is_on_forge(issue):
        path = str(Path(issue).resolve()) if follow else ""
        return ImportRollout(text=text_of(issue), path=path)
    if not follow:
        raise UsageError(
            "an issue on a forge follows its rollout",
            hint="save its text in a file, and import that with --no-follow",
        )
    return ImportRollout(issue=issue)


def is_on_forge(issue: str) -> bool:
    """Return whether a word means an issue on a forge, and not one in a file."""
    from flagstaff.definitions.forges import reads_like_issue  # noqa: PLC0415 help needs no YAML

    return reads_like_issue(issue) and not Path(issue).exists()


def text_of(issue: str) -> str:
    """Return the text of an issue in a file, `-` for standard input.

    Raises:
        UsageError: it is too long, or not UTF-8.
        NotFound: there is no such file.
    """
    shown = "standard input" if issue == "-" else issue
    data = sys.stdin.buffer.read() if issue == "-" else _bytes(Path(issue))
    if len(data) > LARGEST:
        raise UsageError(
            f"{shown} has {len(data):,} bytes, which is no issue",
            hint=f"an issue has at most {LARGEST:,}",
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise UsageError(
            f"{shown}:{line}: byte {exc.start + 1} (0x{data[exc.start]:02x}) is not UTF-8",
            hint="save it as UTF-8, for example: iconv -f ISO-8859-1 -t UTF-8 OLD > NEW",
        ) from exc
    if not text.strip(UTF8_BOM).strip():
        raise UsageError(
            f"{shown} is empty", hint="write the rollout issue into it, as Markdown with a list"
        )
    return text


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as exc:
        raise UsageError(
            f"there is no file {path}", hint="name the file of a rollout issue, or - for input"
        ) from exc
    except IsADirectoryError as exc:
        raise UsageError(f"{path} is a folder", hint="name the file of one issue in it") from exc
    except OSError as exc:
        why = (exc.strerror or str(exc)).lower()
        raise UsageError(f"{path} cannot be read: {why}", hint="check its permissions") from exc


def answers_in(answers: tuple[str, ...]) -> dict[str, str]:
    """Return what placeholders stand for.

    Raises:
        UsageError: an answer is not `NAME=VALUE`.
    """
    found = {}
    for answer in answers:
        name, _, value = answer.partition("=")
        name = name.strip().strip("<>")
        if not name or not value:
            raise UsageError(
                f"`--set {answer}`: this is not NAME=VALUE", hint="for example --set milestone=15.2"
            )
        found[name] = value
    return found


def choices_in(chosen: tuple[str, ...]) -> dict[str, str]:
    """Return which ways to take: by the line of a box, and by their own names for every box.

    >>> choices_in(("36=random", "project"))
    {'36': 'random', 'project': 'project'}

    Raises:
        UsageError: a choice is neither `LINE=WAY` nor `WAY`.
    """
    found = {}
    for each in chosen:
        line, equals, way = (part.strip() for part in each.partition("="))
        way = way if equals else line
        if not way or (equals and not (line.isascii() and line.isdigit())):
            raise UsageError(
                f"`--choose {each}`: this is neither LINE=WAY nor WAY",
                hint="for example --choose 36=random; --dry-run shows the lines and their ways",
            )
        found[line] = way.lstrip("-").lower()
    return found
