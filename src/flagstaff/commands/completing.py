"""How may a line of words go on?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from flagstaff.commands.chat_text import words_of
from flagstaff.commands.environments import ENVIRONMENTS
from flagstaff.commands.grammar import GROUPS
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.errors import UsageError

MOST: Final = 12

Values = Mapping[str, Sequence[tuple[str, str]]]
"""What can stand for a word such as `NAME` or `ID`, each with a word about it."""

_root = Tree("", commands={group.name or "": group for group in GROUPS}, context_settings=SETTINGS)
_FLAGS: Final = frozenset({"feature", "flag"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A word that may come next: `line` is the whole line with it."""

    word: str
    about: str
    line: str


def completions(line: str, values: Values) -> tuple[Completion, ...]:
    """Return what may stand where the line ends, those that begin with its last word.

    >>> [each.word for each in completions("rollout pa", {})]
    ['pause']
    """
    head, begun = _parted(line)
    path: list[click.Command] = [_root]
    rest: list[str] = []
    for word in _words(head):
        command = path[-1]
        if isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return ()
            path.append(found)
        else:
            rest.append(word)
    command = path[-1]
    if isinstance(command, click.Group):
        offered = [(name, _about(command.commands[name])) for name in sorted(command.commands)]
    else:
        offered = _after(path, rest, begun, values)
    return tuple(
        Completion(word=word, about=about, line=f"{head}{word} ")
        for word, about in offered
        if word.startswith(begun)
    )[:MOST]


def _parted(line: str) -> tuple[str, str]:
    """Return the line up to its last word, and as much of that as is written."""
    at = max(line.rfind(" "), line.rfind("\t")) + 1
    return line[:at], line[at:]


def _words(head: str) -> tuple[str, ...]:
    try:
        return words_of(head)
    except UsageError:
        return ()


def _after(
    path: Sequence[click.Command], rest: Sequence[str], begun: str, values: Values
) -> list[tuple[str, str]]:
    command = path[-1]
    options = {
        name: option
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        for name in option.opts
        if name.startswith("--")
    }
    before = options.get(rest[-1]) if rest else None
    if before is not None and not before.is_flag:
        return _values(before, before.metavar or "", values)
    known = {name for name, _ in values.get("ENVIRONMENT", ())}
    offered = [
        (name, option.help or "")
        for name, option in options.items()
        if name not in rest and (name[2:] not in ENVIRONMENTS or not known or name[2:] in known)
    ]
    if begun.startswith("-"):
        return offered
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    given = _positional(rest, options)
    if given < len(arguments):
        argument = arguments[given]
        metavar = (argument.metavar or "").strip("[]")
        if metavar == "NAME" and not _FLAGS & {each.name for each in path}:
            return []  # the name of a person or token
        return _values(argument, metavar, values)
    return offered


def _positional(rest: Sequence[str], options: Mapping[str, click.Option]) -> int:
    """Count the words that are neither an option nor the value of one."""
    count, takes = 0, False
    for word in rest:
        if takes:
            takes = False
        elif word.startswith("--"):
            option = options.get(word)
            takes = option is not None and not option.is_flag
        else:
            count += 1
    return count


def _values(param: click.Parameter, metavar: str, values: Values) -> list[tuple[str, str]]:
    if isinstance(param.type, click.Choice):
        return [(str(each), "") for each in param.type.choices]
    names = {"environment": "ENVIRONMENT", "flag": "NAME"}
    if isinstance(param, click.Option):
        metavar = names.get(param.name or "", "" if metavar == "NAME" else metavar)
    return list(values.get(metavar, ()))


def _about(command: click.Command) -> str:
    return command.get_short_help_str(limit=70)
