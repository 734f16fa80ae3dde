"""Which parts of the lines are not for reading: comments, fenced code, struck text?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flagstaff.issues.lines import Line

_FENCE = re.compile(r"[ \t]*(?:(?:>|[-*+]|[0-9]{1,9}[.)])[ \t]*)*(`{3,}|~{3,})(.*)")
_STRUCK = re.compile(r"~~[^~]+~~|<(s|del|strike)>.*?</\1>", re.IGNORECASE)
_OPEN, _CLOSE = "<!--", "-->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """The readable text of a line, as long as the line; `None` for fenced code.

    `inside` says that a comment or a fence is still open at the line's end.
    """

    text: str | None
    inside: bool


def masked(lines: Sequence[Line]) -> tuple[Readable, ...]:
    """Return what can be read of each line."""
    readable: list[Readable] = []
    fence, in_comment = "", False
    for line in lines:
        found = None if in_comment else _FENCE.match(line.text)
        if fence:
            if found and _closes(found, fence):
                fence = ""
            readable.append(Readable(text=None, inside=bool(fence)))
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
            readable.append(Readable(text=None, inside=True))
        else:
            text, in_comment = _without_comments(line.text, inside=in_comment)
            text = _STRUCK.sub(lambda struck: " " * len(struck[0]), text)
            readable.append(Readable(text=text, inside=in_comment))
    return tuple(readable)


def _closes(found: re.Match[str], fence: str) -> bool:
    return found[1].startswith(fence) and not found[2].strip()


def _without_comments(text: str, *, inside: bool) -> tuple[str, bool]:
    kept, at = "", 0
    while at < len(text):
        mark = _CLOSE if inside else _OPEN
        found = text.find(mark, at)
        if found < 0:
            return kept + (" " * (len(text) - at) if inside else text[at:]), inside
        if not inside and text.count("`", 0, found) % 2:
            kept, at = kept + text[at : found + len(mark)], found + len(mark)
            continue
        end = found + len(mark)
        kept += " " * (end - at) if inside else text[at:found] + " " * len(mark)
        at, inside = end, not inside
    return kept, inside
