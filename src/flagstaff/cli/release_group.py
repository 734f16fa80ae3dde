"""How does the terminal take `HEAD`, a branch or a tag where chat takes the digits of a commit?"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import click

from flagstaff.commands import release_words
from flagstaff.commands.release_words import is_sha
from flagstaff.commands.tree import Tree
from flagstaff.errors import NotFound


def _with_names(words: Tree) -> Tree:
    return words.with_commands(
        {name: _reading_names(each) for name, each in words.commands.items()}
    )


def _reading_names(command: click.Command) -> click.Command:
    """Return the command with the `sha` it is given looked up in the repository of this folder."""
    called = cast("Callable[..., Any]", command.callback)

    @functools.wraps(called)
    def read(*, sha: str, **options: Any) -> Any:
        return called(sha=_commit(sha), **options)

    reading = copy.copy(command)
    reading.callback = read
    return reading


def _commit(name: str) -> str:
    """Return the commit of that name; what names none stays as it is, to be answered as in chat."""
    if not name or is_sha(name):
        return name
    from flagstaff.cleanup.git import Git  # noqa: PLC0415 digits need no repository

    try:
        return Git.at(Path.cwd()).commit(name)
    except NotFound:
        return name


auto_deploy = _with_names(release_words.auto_deploy)
deployment = _with_names(release_words.deployment)
