"""How is a line from chat or from an issue taken as it stands?"""

from __future__ import annotations

import click

from flagstaff.cli import output
from flagstaff.commands.chat_text import words_of
from flagstaff.commands.grammar import help_text, parse
from flagstaff.commands.model import Command
from flagstaff.commands.tree import HELP_NAMES, SETTINGS

# What follows the first word belongs to the line, also where it looks like an option of ours.
AS_IT_STANDS = {**SETTINGS, "ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command(context_settings=AS_IT_STANDS)
@click.argument("line", nargs=-1, required=True)
def run(*, line: tuple[str, ...]) -> Command | None:
    """Take a LINE as it stands in chat or in an issue, best in quotes.

    \b
    flagstaff run '/chatops run feature set new_navigation 25 --actors'
    """  # noqa: D301 a mark for Click
    words = words_of(line[0]) if len(line) == 1 else _without_prefix(line)
    if any(word in HELP_NAMES for word in words):
        output.say(help_text([word for word in words if word not in HELP_NAMES]))
        return None
    return parse(words)


def _without_prefix(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words after `/chatops run`; the shell has already undone their quotes."""
    rest = list(words)
    if rest and rest[0].lstrip("/").lower() in {"chatops", "flagstaff"}:
        del rest[0]
        if rest and rest[0].lower() == "run":
            del rest[0]
    return tuple(rest)
