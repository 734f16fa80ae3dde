"""Which items does an issue consist of, and what stands above each?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from flagstaff.issues.lines import Line, Marker, columns, marker_of
from flagstaff.issues.masks import masked
from flagstaff.issues.sections import Section, section_of

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*")
_SUMMARY = re.compile(r"[ \t]*(?:<details[^>]*>)?[ \t]*<summary>(.*?)</summary>.*", re.IGNORECASE)
_DETAILS_END = re.compile(r"[ \t]*</details>", re.IGNORECASE)
_QUICK_ACTION = re.compile(r"[ \t]*/[a-z_]+(?: |$)")
_COMMAND = re.compile(r"[ \t]*`*[ \t]*/chatops\b", re.IGNORECASE)
_SUMMARY_LEVEL, _PLAIN_LEVEL, _LONGEST_HEADING = 7, 1, 90
_BULLETS = ("\u2022", "\u25e6", "\u25aa", "\u2023")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A list item or a paragraph.

    Attributes:
        line: Where it begins.
        last: Where its own text ends, its nested items left out.
        text: Its own text with its line breaks; comments and struck text are blank.
        marker: What stands before the text; `None` for a paragraph.
        above: Indexes of the items it is nested in, the nearest first.
        headings: What it stands under, outermost first.
    """

    line: int
    last: int
    text: str
    marker: Marker | None
    above: tuple[int, ...]
    headings: tuple[str, ...]
    section: Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading and where it stands."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """An issue as items; `plain` means pasted text with bullets and no Markdown.

    `inside` are the lines at whose end a comment or fenced code is still open.
    """

    items: tuple[Item, ...]
    headings: tuple[Heading, ...]
    plain: bool
    notes: bool
    inside: frozenset[int]

    @property
    def bullets_are_steps(self) -> bool:
        """Return whether a step needs no box here, because nobody drew open ones."""
        marks = [item.marker.mark for item in self.items if item.marker]
        boxes = [mark for mark in marks if mark is not None]
        open_boxes = any(not mark.strip() for mark in boxes)
        return self.plain or not boxes or (self.notes and not open_boxes)


def outline_of(lines: Sequence[Line]) -> Outline:
    """Return the items of an issue; our own notes are passed over."""
    own = [line for line in lines if not line.is_note]
    readable = masked(own)
    texts = [each.text for each in readable]
    plain = any(text is not None and text.lstrip().startswith(_BULLETS) for text in texts)
    plain = plain and not any(text is not None and _HEADING.fullmatch(text) for text in texts)
    reader = _Reader(plain=plain)
    for at, (line, text) in enumerate(zip(own, texts, strict=True)):
        alone = _blank(texts, at - 1) and _blank(texts, at + 1)
        reader.read(line, text, alone=alone)
    return Outline(
        items=tuple(reader.items),
        headings=tuple(reader.headings),
        plain=plain,
        notes=len(own) < len(lines),
        inside=frozenset(
            line.number for line, each in zip(own, readable, strict=True) if each.inside
        ),
    )


def _blank(texts: Sequence[str | None], at: int) -> bool:
    return not 0 <= at < len(texts) or not (texts[at] or "").strip()


@dataclass(slots=True)
class _Reader:
    """Goes through the lines once, remembering what is open."""

    plain: bool
    items: list[Item] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    path: list[tuple[int, str]] = field(default_factory=list)
    section: Section = Section.STEPS
    nested: list[tuple[int, int]] = field(default_factory=list)
    continuing: bool = False

    def read(self, line: Line, text: str | None, *, alone: bool) -> None:
        if text is None or not text.strip():
            # A line that is only a comment neither ends nor continues anything.
            self.continuing = self.continuing and bool(text is not None and line.text.strip())
            return
        marker = marker_of(text)
        if self._heading(line, text, marker, alone=alone):
            self.continuing = False
            self.nested.clear()
        elif marker is not None:
            self._open(line, text, marker)
        elif _QUICK_ACTION.match(text) and not _COMMAND.match(text):
            self.continuing = False
        elif self.continuing:
            item = self.items[-1]
            self.items[-1] = replace(item, last=line.number, text=f"{item.text}\n{text.strip()}")
        else:
            self._open(line, text, None)

    def _heading(self, line: Line, text: str, marker: Marker | None, *, alone: bool) -> bool:
        if found := _HEADING.fullmatch(text):
            self._push(line, len(found[1]), found[2])
        elif found := _SUMMARY.fullmatch(text):
            self._push(line, _SUMMARY_LEVEL, found[1])
        elif _DETAILS_END.match(text):
            self.path = [(level, words) for level, words in self.path if level < _SUMMARY_LEVEL]
            self._settle()
        elif self.plain and alone and marker is None and _reads_like_heading(text):
            self._push(line, _PLAIN_LEVEL, text.strip())
        else:
            return False
        return True

    def _push(self, line: Line, level: int, words: str) -> None:
        self.headings.append(Heading(line=line.number, text=words))
        self.path = [(depth, above) for depth, above in self.path if depth < level]
        self.path.append((level, words))
        self._settle()

    def _settle(self) -> None:
        inherited = self.section if self.plain else Section.STEPS
        if inherited is Section.ROLLBACK:
            inherited = Section.INFORMATION
        self.section = section_of([words for _, words in self.path], inherited)

    def _open(self, line: Line, text: str, marker: Marker | None) -> None:
        indent = text[: len(text) - len(text.lstrip())]
        column = marker.column if marker else columns(indent)
        self.nested = [(depth, index) for depth, index in self.nested if depth < column]
        self.items.append(
            Item(
                line=line.number,
                last=line.number,
                text=text[marker.length if marker else 0 :].strip(),
                marker=marker,
                above=tuple(index for _, index in reversed(self.nested)),
                headings=tuple(words for _, words in self.path),
                section=self.section,
            )
        )
        if marker is not None:
            self.nested.append((column, len(self.items) - 1))
        self.continuing = True


def _reads_like_heading(text: str) -> bool:
    words = text.strip()
    starts = not words.startswith(("/", "`", "<", "|", ">"))
    return starts and len(words) <= _LONGEST_HEADING and not words.endswith((".", ":", ",", ";"))
