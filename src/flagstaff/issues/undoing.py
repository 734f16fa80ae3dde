"""Which items say how something is undone, or only show an example, so that they are never done?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flagstaff.issues.written import commands_in

_BEGINS = re.compile(
    r"\W*(?:(?:how|steps?|ways?|commands?)\s+(?:to|for)\s+|to\s+"
    r"|(?:if|when|in case)\b[^,.]*[,:]\s*)*"
    r"(?:roll(?:ing|ed)?[ -]?back|revert)\b",
    re.IGNORECASE,
)
_MENTIONS = re.compile(
    r"\broll(?:ing|ed)?[ -]?back\b|\brevert|\bundo\b|\bback out\b"
    r"|\bcan be (?:disabled|turned off|switched off|deactivated)\b",
    re.IGNORECASE,
)
_OFF = re.compile(r"\s(?:false|0)(?:\s|$)", re.IGNORECASE)
_EXAMPLE = re.compile(
    r"\b(?:for )?examples?\b|\be\.\s?g\.|\bfor instance\b|\bsuch as\b|\bsample\b|\blooks? like\b",
    re.IGNORECASE,
)

Told = tuple[str, tuple[int, ...], tuple[str, ...]]
"""An item's text, the indexes of the items above it, and its headings."""


def undoing_items(items: Sequence[Told]) -> frozenset[int]:
    """Return the indexes of the items that undo: they say so, and so do all that hang on them.

    A box such as "Rollback plan is written" undoes nothing: there is no command in it or below it.
    """
    commands = [[command.text for command in commands_in(text)] for text, _, _ in items]
    with_commands = {at for at, found in enumerate(commands) if found}
    holding = with_commands | {above for at in with_commands for above in items[at][1]}
    undoing: set[int] = set()
    for at, (text, above, headings) in enumerate(items):
        before = at - 1 if at and not above and items[at - 1][2] == headings else None
        near = [text, *(items[each][0] for each in above)]
        near += [items[before][0]] if before is not None else []
        off = bool(commands[at]) and all(_OFF.search(command) for command in commands[at])
        if (
            any(each in undoing for each in above)
            or (at in holding and _BEGINS.match(text))
            or (off and any(_MENTIONS.search(each) for each in near))
        ):
            undoing.add(at)
    return frozenset(undoing)


def is_example(text: str) -> bool:
    """Return whether the text announces an example rather than something to be done."""
    return _EXAMPLE.search(text) is not None
