"""How is something said on a terminal? Data goes to stdout, talk to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from flagstaff.commands.outcome import Outcome
from flagstaff.errors import DefinitionError, FlagstaffError, ImportProblems

BOLD, DIM, RED, GREEN, YELLOW, BLUE = "1", "2", "31", "32", "33", "34"


def say(text: str) -> None:
    """Write a line of data."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def remark(text: str) -> None:
    """Write a line of talk."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say_json(data: Mapping[str, Any]) -> None:
    """Write data for programs."""
    say(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def outcome(result: Outcome, *, as_json: bool) -> None:
    """Show what came of a command."""
    if as_json:
        say_json(
            {"ok": result.ok, "text": result.text, "next": result.next, "data": dict(result.data)}
        )
        return
    say(result.text)
    if result.next:
        remark(coloured(f"next: {result.next}", DIM, stream=sys.stderr))


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
        shown["problems"] = [
            {"file": each.file, "line": each.line, "what": each.what, "remedy": each.remedy}
            for each in problem.problems
        ]
    return shown


def coloured(text: str, colour: str, *, stream: Any = None) -> str:
    """Return the text in a colour when the stream is a terminal and nobody set `NO_COLOR`."""
    if os.environ.get("NO_COLOR") or not (stream or sys.stdout).isatty():
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"
