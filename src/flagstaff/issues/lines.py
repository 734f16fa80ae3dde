"""Which lines does a text have, and what is the marker of a list item?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flagstaff.rollouts.plan import Preset

NOTE_END = "<!-- flagstaff -->"
"""Ends every line that we wrote ourselves."""

_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")
_ITEM = re.compile(
    r"(?P<indent>[ \t\u00a0]*)(?P<bullet>[-*+\u2022\u25e6\u25aa\u2023]|[0-9]{1,9}[.)])"
    r"(?P<gap>[ \t\u00a0]+|$)(?:\[(?P<mark>[ xX~\u00a0-]|n/a|N/A)\](?P<after>[ \t\u00a0]+|$))?"
)
PRESETS = {"x": Preset.DONE, "-": Preset.SKIPPED, "~": Preset.SKIPPED, "n/a": Preset.SKIPPED}
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

    `mark` is what stands in the box, `None` where there is no box. `width` is the column of the
    text without the box, as nesting counts it.
    """

    indent: str
    bullet: str
    gap: str
    mark: str | None
    length: int

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
    if found is None:
        return None
    return Marker(
        indent=found["indent"],
        bullet=found["bullet"],
        gap=found["gap"],
        mark=found["mark"],
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
