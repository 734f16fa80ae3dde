"""Which parts of the lines are not for reading: comments, fenced code, struck text?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flagstaff.issues.lines import Line
from flagstaff.issues.written import COMMAND

_FENCE = re.compile(r"[ \t]*(?:(?:>|[-*+]|[0-9]{1,9}[.)])[ \t]*)*(`{3,}|~{3,})(.*)")
_STRUCK = re.compile(r"~~[^~]+~~|<(s|del|strike)>(?:(?!<\1>).)*?</\1>", re.IGNORECASE)
_OPEN, _CLOSE = "<!--", "-->"
_COMMAND = re.compile(rf"[ \t]*{COMMAND}", re.IGNORECASE)
_UNSEEN = str.maketrans(dict.fromkeys("\ufeff\u200b\u2060", " "))
"""Signs without width that come along when a page is copied, and a mark of the byte order."""


class Kind(StrEnum):
    """What a line is, before anybody asks what it says."""

    TEXT = "text"
    COMMENT = "comment"
    CODE = "code"
    FENCE = "fence"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """The readable text of a line, as long as the line; `None` for fenced code.

    `inside` says that a comment or a fence is still open at the line's end. A fence in which there
    are chat commands and nothing else is `FENCE`, and what is in it `COMMAND`.
    """

    text: str | None
    inside: bool
    kind: Kind


def masked(lines: Sequence[Line]) -> tuple[Readable, ...]:
    """Return what can be read of each line."""
    readable: list[Readable] = []
    in_comment = False
    at = 0
    while at < len(lines):
        text = lines[at].text.translate(_UNSEEN)
        found = None if in_comment else _FENCE.match(text)
        if found and not (found[1][0] == "`" and "`" in found[2]):
            block = _block(lines, at, found[1])
            readable += block
            at += len(block)
            continue
        shown, in_comment = _without_comments(text, inside=in_comment)
        shown = _STRUCK.sub(lambda struck: " " * len(struck[0]), shown)
        hidden = bool(text.strip()) and not shown.strip()
        kind = Kind.COMMENT if hidden else Kind.TEXT
        readable.append(Readable(text=shown, inside=in_comment, kind=kind))
        at += 1
    return tuple(readable)


def _block(lines: Sequence[Line], at: int, fence: str) -> list[Readable]:
    """Return the lines of the fenced code that begins at `at`."""
    end = at + 1
    while end < len(lines) and not _closes(lines[end].text, fence):
        end += 1
    within = [line.text.translate(_UNSEEN) for line in lines[at + 1 : end]]
    says = [text for text in within if text.strip()]
    commands = bool(says) and end < len(lines) and all(_COMMAND.match(text) for text in says)
    edge, kind = (Kind.FENCE, Kind.COMMAND) if commands else (Kind.CODE, Kind.CODE)
    return [
        Readable(text=None, inside=True, kind=edge),
        *(
            Readable(text=text if commands and text.strip() else None, inside=True, kind=kind)
            for text in within
        ),
        *(Readable(text=None, inside=False, kind=edge) for _ in lines[end : end + 1]),
    ]


def _closes(text: str, fence: str) -> bool:
    found = _FENCE.match(text)
    return found is not None and found[1].startswith(fence) and not found[2].strip()


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
