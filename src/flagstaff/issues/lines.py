"""Which lines does a text have, and what is the marker of a list item?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flagstaff.rollouts.plan import Preset

NOTE_END = "<!-- flagstaff -->"
"""Ends every line that we wrote ourselves."""

_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")
_BLANK = "[ \t\u00a0\u2007\u202f]"
_ITEM = re.compile(
    rf"(?P<indent>{_BLANK}*)"
    rf"(?:(?P<bullet>[-*+\u2022\u25e6\u25aa\u2023\u00b7\u25cf\u25cb\u25a0]|[0-9]{{1,9}}[.)])"
    rf"(?P<gap>{_BLANK}+|$))?"
    rf"(?:(?P<box>\[(?P<mark>[ xX~\u00a0\u2713\u2714-]|n/a|N/A|)\]"
    rf"|(?P<sign>[\u2610\u25a1\u2b1c\u2611\u2612\u2713\u2714\u2705])\ufe0f?)(?:{_BLANK}+|$))?"
)
OPEN_SIGNS, TICKED_SIGN, OPEN_SIGN = "\u2610\u25a1\u2b1c", "\u2611", "\u2610"
"""Boxes as one sign: what a browser copies for a check box, and what it copies for a ticked one."""
PRESETS = {
    **dict.fromkeys(("x", "\u2713", "\u2714"), Preset.DONE),
    **dict.fromkeys(("-", "~", "n/a"), Preset.SKIPPED),
}
_TAB = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; `number` counts from 1, `ending` is empty at the end of the text."""

    number: int
    text: str
    ending: str

    @property
    def is_note(self) -> bool:
        """Return whether we wrote this line ourselves."""
        return self.text.lstrip().startswith(">") and self.text.rstrip().endswith(NOTE_END)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What stands before the text of a list item.

    `mark` is what stands in the `box`, `None` where there is no box; a box that is one sign counts
    as one with a blank or an `x`. `length` is that of everything before the text.
    """

    indent: str
    bullet: str
    gap: str
    box: str
    mark: str | None
    length: int

    @property
    def box_at(self) -> int:
        """Return where the box stands, or would stand."""
        return len(self.indent) + len(self.bullet) + len(self.gap)

    @property
    def column(self) -> int:
        """Return the column of the bullet."""
        return columns(self.indent)

    @property
    def preset(self) -> Preset:
        """Return how the box stands."""
        return PRESETS.get((self.mark or "").lower(), Preset.OPEN)


def split_lines(text: str) -> tuple[Line, ...]:
    """Return the lines of `text`; joined with their endings they are `text` again."""
    found = [(match[1], match[2]) for match in _LINE.finditer(text) if match[0]]
    return tuple(
        Line(number=number, text=content, ending=ending)
        for number, (content, ending) in enumerate(found, start=1)
    )


def marker_of(text: str) -> Marker | None:
    """Return the marker of the list item that the line begins, if it begins one."""
    found = _ITEM.match(text)
    if found is None or (found["bullet"] is None and found["box"] is None):
        return None
    sign = found["sign"]
    return Marker(
        indent=found["indent"],
        bullet=found["bullet"] or "",
        gap=found["gap"] or "",
        box=found["box"] or "",
        mark=(" " if sign in OPEN_SIGNS else "x") if sign else found["mark"],
        length=found.end(),
    )


def anchor_of(text: str) -> str:
    """Return a line's text without the marker: what stays when its box is ticked."""
    marker = marker_of(text)
    return (text[marker.length :] if marker else text).strip()


def columns(blank: str) -> int:
    """Return how wide leading blanks are; a tab reaches to the next multiple of four."""
    width = 0
    for sign in blank:
        width += _TAB - width % _TAB if sign == "\t" else 1
    return width
