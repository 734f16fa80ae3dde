"""How does an issue in a file become a rollout?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from flagstaff.commands.model import ImportRollout
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import NotFound, UsageError


@click.command("import", context_settings=SETTINGS)
@click.argument("issue", metavar="ISSUE.md")
@click.option(
    "answers", "--set", multiple=True, metavar="NAME=VALUE", help="What a <NAME> in it stands for."
)
@click.option("--start", is_flag=True, help="Begin at once.")
@click.option("--no-follow", is_flag=True, help="Leave the file as it is while the rollout runs.")
def import_file(
    *, issue: str, answers: tuple[str, ...], start: bool, no_follow: bool
) -> ImportRollout:
    """Make a rollout of the issue in a file, `-` for standard input.

    Its boxes are ticked and results noted in the file as the rollout goes on. With --dry-run
    nothing is written, and every line is shown with what it was understood as.
    """
    text, path = _read(issue)
    return ImportRollout(
        text=text,
        path="" if no_follow else path,
        placeholders=_placeholders(answers),
        start=start,
    )


def _read(issue: str) -> tuple[str, str]:
    if issue == "-":
        return sys.stdin.read(), ""
    path = Path(issue)
    try:
        return path.read_bytes().decode(), str(path.resolve())
    except FileNotFoundError as exc:
        raise NotFound(f"there is no file {issue}") from exc
    except UnicodeDecodeError as exc:
        raise UsageError(f"{issue} is not text in UTF-8: {exc}") from exc
    except OSError as exc:
        raise UsageError(f"{issue} cannot be read: {exc.strerror}") from exc


def _placeholders(answers: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for answer in answers:
        name, equals, value = answer.partition("=")
        if not (name and equals and value):
            raise UsageError(
                f"`--set {answer}`: this is not NAME=VALUE", hint="for example --set milestone=15.2"
            )
        found[name.strip("<>")] = value
    return found
