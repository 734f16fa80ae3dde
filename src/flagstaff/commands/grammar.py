"""Which command do these words ask for?

The groups are one Click tree whose callbacks only build commands; the terminal attaches the same
groups to its own root.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast, get_args

import click

from flagstaff.commands.audit_words import audit
from flagstaff.commands.chat_text import words_of
from flagstaff.commands.feature_words import feature, flag
from flagstaff.commands.job_words import workers
from flagstaff.commands.lock_words import incident, lock, unlock
from flagstaff.commands.model import Command
from flagstaff.commands.on_call_words import oncall
from flagstaff.commands.person_words import person, token
from flagstaff.commands.release_words import auto_deploy, deployment, release
from flagstaff.commands.rollout_words import rollout
from flagstaff.commands.tree import HELP_NAMES, SETTINGS, Tree, explained
from flagstaff.errors import UsageError

GROUPS: tuple[click.Command, ...] = (
    feature,
    flag,
    auto_deploy,
    release,
    deployment,
    rollout,
    audit,
    person,
    token,
    lock,
    unlock,
    incident,
    oncall,
    workers,
)
"""What builds commands, for a root of one's own."""

_WIDTH = 96
_KINDS = get_args(Command)
_PLACEHOLDER = re.compile(r"<[A-Za-z][\w -]*>")
_root = Tree(
    "",
    commands={group.name or "": group for group in GROUPS},
    context_settings=SETTINGS,
    help="Ask for a change of flags and rollouts, or look at them.",
)

__all__ = [
    "GROUPS",
    "audit",
    "auto_deploy",
    "deployment",
    "explained",
    "feature",
    "flag",
    "help_text",
    "incident",
    "lock",
    "oncall",
    "parse",
    "parse_line",
    "person",
    "release",
    "rollout",
    "token",
    "unlock",
    "workers",
]


def parse(words: Sequence[str]) -> Command:
    """Return the command that `words` ask for.

    >>> parse(["feature", "get", "new_navigation"])
    GetFlag(flag='new_navigation', environments=('production',))

    Raises:
        UsageError: they ask for none; the message names the place, the hint what to write. When
            help is asked for, the message is the help.
    """
    asked = list(words)
    if any(word in HELP_NAMES for word in asked):
        raise UsageError(help_text([word for word in asked if word not in HELP_NAMES]))
    for word in asked:
        if " " not in word and (found := _PLACEHOLDER.search(word)):
            raise UsageError(
                f"`{found[0]}` is a placeholder", hint="write what it stands for in its place"
            )
    try:
        built = _root.main(args=asked, prog_name="", standalone_mode=False)
    except click.ClickException as wrong:
        raise explained(wrong, asked) from wrong
    if not isinstance(built, _KINDS):
        raise UsageError("these words ask for no command", hint=_offer())
    return cast("Command", built)


def parse_line(text: str) -> Command:
    """Return the command in a whole line of chat, `/chatops run …` or the words alone.

    Raises:
        UsageError: there is none, or it is wrong.
    """
    return parse(words_of(text))


def help_text(words: Sequence[str]) -> str:
    """Return the help for the command that `words` begin with; no words: for all of them."""
    context = click.Context(_root, info_name="", terminal_width=_WIDTH, **SETTINGS)
    command: click.Command = _root
    for word in words:
        found = command.get_command(context, word) if isinstance(command, click.Group) else None
        if found is None:
            break
        command = found
        context = click.Context(
            command, info_name=word, parent=context, terminal_width=_WIDTH, **SETTINGS
        )
    return command.get_help(context)


def _offer() -> str:
    return f"there are: {', '.join(group.name or '' for group in GROUPS)}"
