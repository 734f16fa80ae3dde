"""What was answered to the `<…>` of an issue or a template, one `name = value` on each line?"""

from __future__ import annotations

from flagstaff.errors import UsageError


def answers(text: str) -> dict[str, str]:
    """Return the answers by name; lines without a value answer nothing.

    Raises:
        UsageError: a line is no answer.
    """
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise UsageError(
                f"{line[:60]!r} is no answer to a placeholder",
                hint="write one `name = value` on each line",
            )
        if value.strip():
            found[name.strip().strip("<>")] = value.strip()
    return found
