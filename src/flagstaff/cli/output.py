"""How is something said on a terminal? Data goes to stdout, talk to stderr."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, TextIO

from flagstaff.commands.outcome import Outcome
from flagstaff.errors import DefinitionError, FlagstaffError, ImportProblems

BOLD, DIM, RED, GREEN, YELLOW, BLUE = "1", "2", "31", "32", "33", "34"
MARKS: Final = {"✓": GREEN, "✗": RED, "?": YELLOW, "▸": BLUE}
"""What a step's line begins with; the colour is never the only sign."""


def prepare() -> None:
    """Make sure that a terminal of another alphabet gets question marks and no crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def give_up() -> None:
    """Write nothing more: whoever read our data has left."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # nothing but a real file needs this
        return


def say(text: str) -> None:
    """Write a line of data."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def remark(text: str) -> None:
    """Write a line of talk."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say_json(data: Mapping[str, Any], *, line: bool = False) -> None:
    """Write data for programs, on one line when more of it will follow."""
    say(json.dumps(data, indent=None if line else 2, ensure_ascii=False, default=str))


def outcome(result: Outcome, *, as_json: bool) -> None:
    """Show what came of a command."""
    if as_json:
        say_json(
            {"ok": result.ok, "text": result.text, "next": result.next, "data": dict(result.data)}
        )
        return
    say("\n".join(marked(line) for line in result.text.splitlines()))
    suggest(result.next)


def suggest(command: str) -> None:
    """Name the command that a person would likely want now, if there is one."""
    if command:
        remark(coloured(f"next: {command}", DIM, stream=sys.stderr))


def error(problem: FlagstaffError, *, as_json: bool) -> None:
    """Show what went wrong, where, and what to do."""
    if as_json:
        say_json({"ok": False, "error": _error_json(problem)})
        return
    remark(f"{coloured('error:', RED, stream=sys.stderr)} {problem.message}")
    if problem.hint:
        remark(coloured(problem.hint, DIM, stream=sys.stderr))


def _error_json(problem: FlagstaffError) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
    if isinstance(problem, ImportProblems | DefinitionError):
        shown["problems"] = [asdict(each) for each in problem.problems]
    return shown


def marked(line: str) -> str:
    """Return a step's line with its mark in colour, any other line as it is."""
    mark, _, rest = line.lstrip().partition(" ")
    colour = MARKS.get(mark)
    if colour is None or not rest:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return f"{indent}{coloured(mark, colour)} {rest}"


def coloured(text: str, colour: str, *, stream: TextIO | None = None) -> str:
    """Return the text in a colour when the stream is a terminal and nobody set `NO_COLOR`."""
    if os.environ.get("NO_COLOR") or not (stream or sys.stdout).isatty():
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    >>> counted(1, "file"), counted(3, "file")
    ('1 file', '3 files')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
