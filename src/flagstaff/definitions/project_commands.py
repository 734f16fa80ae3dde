"""What do `commands:` and `private_hosts:` in `flagstaff.yml` say?"""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Final

from flagstaff.definitions.commands import ProjectCommand
from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.nodes import ListNode
from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError

_KEYS: Final = ("run", "folder", "timeout", "environment")
_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOST: Final = re.compile(r"[A-Za-z0-9._:-]+")
_LONGEST: Final = timedelta(hours=6)


def read_commands(project: Fields) -> dict[str, ProjectCommand]:
    """Return the commands that are in order, by name, and note what is wrong with others."""
    commands = project.mapping("commands")
    found: dict[str, ProjectCommand] = {}
    for name in commands or ():
        fields = commands.mapping(name) if commands else None
        if commands is None or fields is None:
            continue
        if not _NAME.fullmatch(name):
            fields.problems.error(
                f"{quote(name)} is no name of a command",
                line=commands.line(name),
                remedy="write letters and digits, with single `-`, `_` or `.` between",
            )
        fields.unknown(_KEYS, fields.problems.error)
        command = _command(fields)
        if command is not None:
            found[name] = command
    return found


def read_private_hosts(project: Fields) -> tuple[str, ...]:
    """Return the hosts that checks may ask although their addresses are not public."""
    return project.parsed_list("private_hosts", _host) or ()


def _command(fields: Fields) -> ProjectCommand | None:
    default = ProjectCommand(run=())
    run = _words(fields)
    if not run:
        return None
    return ProjectCommand(
        run=run,
        folder=fields.parsed("folder", folder_inside) or default.folder,
        timeout=fields.parsed("timeout", _timeout) or default.timeout,
        environment=fields.parsed_list("environment", variable) or (),
    )


def _words(fields: Fields) -> tuple[str, ...]:
    if isinstance(fields.node("run"), ListNode):
        return fields.parsed_list("run", str) or ()
    if not fields.has("run"):
        fields.required("run", remedy="write the program and its words: `run: ./check.sh --fast`")
        return ()
    return fields.parsed("run", _split) or ()


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as exc:
        raise UsageError(f"{quote(text)} is no command: {exc}", hint="close every quote") from exc


def folder_inside(text: str) -> str:
    """Return a folder, from the project's root.

    Raises:
        UsageError: it is outside.
    """
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(
            f"{quote(text)} is not inside the project", hint="write a folder from its root"
        )
    return text


def _timeout(text: str) -> timedelta:
    length = parse_duration(text)
    if timedelta(0) < length <= _LONGEST:
        return length
    raise UsageError(f"{quote(text)} is no time for a command", hint="write 1s to 6h")


def variable(text: str) -> str:
    """Return the name of a variable of the environment.

    Raises:
        UsageError: it is none.
    """
    if _VARIABLE.fullmatch(text):
        return text
    raise UsageError(f"{quote(text)} is no name of a variable", hint="write one such as API_TOKEN")


def _host(text: str) -> str:
    if _HOST.fullmatch(text):
        return text.lower()
    raise UsageError(
        f"{quote(text)} is no host", hint="write a name such as status.internal, without http://"
    )
