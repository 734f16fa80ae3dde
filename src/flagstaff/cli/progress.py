"""Which words tell how far a rollout is?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flagstaff.commands.suggesting import next_command

MARKS: Final = {
    "pending": "·",
    "active": "▸",
    "waiting": "?",
    "done": "✓",
    "skipped": "-",
    "failed": "✗",
}
FINISHED: Final = frozenset({"completed", "rolled_back"})
NEEDS_PERSON: Final = frozenset({"pending", "waiting", "paused", "expired"})
_NUMBERS = re.compile(r"[0-9][0-9.,:]*")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

Json = Mapping[str, Any]


def headline(rollout: Json) -> str:
    """Return the rollout on one line."""
    phase = rollout["phase"].replace("_", " ")
    line = f"rollout {rollout['id']} of {rollout['flag']} is {phase}"
    return f"{line}: {rollout['reason']}" if rollout["reason"] else line


def step_line(step: Json) -> str:
    """Return a step with its mark."""
    return f"{MARKS[step['status']]} {step['title']}"


def details(step: Json) -> str:
    """Return what more there is to say about a step, an empty text when there is nothing."""
    words = []
    if step["status"] == "waiting":
        by = step["approved_by"]
        words.append(f"approved by {by}" if by else "waits for a person")
    if step["seconds_left"] is not None:
        words.append(f"{duration(step['seconds_left'])} left")
    if step["note"]:
        words.append(step["note"])
    return "; ".join(words)


def needs_person(rollout: Json) -> bool:
    """Return whether it goes on only when somebody says so, and nobody has yet."""
    step = rollout["step"]
    answered = step is not None and step["status"] == "waiting" and step["approved_by"]
    return rollout["phase"] in NEEDS_PERSON and not answered


def changes(before: Json | None, now: Json) -> Iterator[str]:
    """Yield a line for each step, guard and phase that is not as before.

    A note in which only numbers have moved is no change: a count would fill the screen.
    """
    old_steps = {each["id"]: each for each in before["steps"]} if before else {}
    for step in now["steps"]:
        if _step_essence(step) != _step_essence(old_steps.get(step["id"])):
            more = details(step)
            yield step_line(step) + (f": {more}" if more else "")
    old_guards = {each["name"]: each for each in before["guards"]} if before else {}
    for guard in now["guards"]:
        old = old_guards.get(guard["name"])
        if guard["verdict"] and guard["verdict"] != (old and old["verdict"]):
            yield guard_line(guard)
    if before is None or _phase(before) != _phase(now):
        yield headline(now)


def guard_line(guard: Json) -> str:
    """Return a guard with its latest reading."""
    evidence = f", {guard['evidence']}" if guard["evidence"] else ""
    return f"guard {guard['name']}: {guard['verdict'] or 'no reading yet'}{evidence}"


def suggestion(rollout: Json) -> str:
    """Return the command a person would likely want now, an empty text when none is due."""
    if not needs_person(rollout):
        return ""
    step = rollout["step"]
    failed = step is not None and step["status"] == "failed"
    return next_command(rollout["id"], rollout["phase"], failed=failed)


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units.

    >>> duration(3_700)
    '1 h 1 min'
    """
    whole = round(seconds)
    days, hours, minutes = whole // _DAY, whole % _DAY // _HOUR, whole % _HOUR // _MINUTE
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (whole % _MINUTE, "s")]
    first = next((place for place, (number, _) in enumerate(parts) if number), len(parts) - 1)
    shown = [f"{number} {unit}" for number, unit in parts[first : first + 2] if number]
    return " ".join(shown) or "0 s"


def _step_essence(step: Json | None) -> tuple[str, str]:
    if step is None:
        return "pending", ""
    return step["status"], _NUMBERS.sub("#", step["note"])


def _phase(rollout: Json) -> tuple[str, str]:
    return rollout["phase"], rollout["reason"]
