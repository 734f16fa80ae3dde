"""What was answered to the `<…>` of an issue or a template, one `name = value` on each line?"""

from __future__ import annotations

import re

from flagstaff.errors import FlagstaffError, UsageError

_PLACEHOLDER = re.compile(r"<([\w-]+)>")


def answers(text: str, noun: str = "answer to a placeholder") -> dict[str, str]:
    """Return the answers by name; lines without a value answer nothing.

    Raises:
        UsageError: a line is no answer.
    """
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise UsageError(
                f"{line[:60]!r} is no {noun}",
                hint="write one `name = value` on each line",
            )
        if value.strip():
            found[name.strip().strip("<>")] = value.strip()
    return found


def asked_for(error: FlagstaffError | None) -> str:
    """Return a line for every placeholder that nothing answers, to be filled in."""
    problems = getattr(error, "problems", ())
    names = [name for each in problems for name in _PLACEHOLDER.findall(each.what)]
    return "".join(f"{name} = \n" for name in dict.fromkeys(names))
