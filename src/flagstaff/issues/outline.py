"""Which items does an issue consist of, and what stands above each?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from flagstaff.issues.headings import (
    DETAILS_END,
    PLAIN_LEVEL,
    RULE,
    SUMMARY_LEVEL,
    UNDERLINE,
    heading_in,
    is_marked,
    reads_like_heading,
)
from flagstaff.issues.lines import Line, Marker, columns, marker_of
from flagstaff.issues.masks import Kind, Readable, masked
from flagstaff.issues.sections import Section, section_of
from flagstaff.issues.undoing import is_example, undoing_items

_QUICK_ACTION = re.compile(r"[ \t]*/[a-z_]+(?: |$)")
_COMMAND = re.compile(r"[ \t]*`*[ \t]*/(?:chatops|flagstaff)\b", re.IGNORECASE)
_BULLETS = ("\u2022", "\u25e6", "\u25aa", "\u2023", "\u25cf", "\u25cb", "\u25a0")


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
        fenced: It begins inside a fence.
    """

    line: int
    last: int
    text: str
    marker: Marker | None
    above: tuple[int, ...]
    headings: tuple[str, ...]
    section: Section
    fenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading and where it stands."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """An issue as items; `plain` means pasted text with bullets and no Markdown.

    `unmarked` says that no heading is marked as one. `inside` are the lines at whose end a comment
    or fenced code is still open, `kinds` what each line is that was read, and `quick` the lines
    that are quick actions of the forge.
    """

    items: tuple[Item, ...]
    headings: tuple[Heading, ...]
    plain: bool
    unmarked: bool
    notes: bool
    inside: frozenset[int]
    kinds: Mapping[int, Kind]
    quick: frozenset[int]

    @property
    def bullets_are_steps(self) -> bool:
        """Return whether a step needs no box here, because nobody drew open ones."""
        marks = [item.marker.mark for item in self.items if item.marker]
        boxes = [mark for mark in marks if mark is not None]
        if not boxes:
            return True
        if any(not mark.strip() for mark in boxes):
            # We open a box again when its step was taken back, and draw it where there was none.
            return self.plain and self.notes
        return self.plain or self.unmarked or self.notes


def outline_of(lines: Sequence[Line]) -> Outline:
    """Return the items of an issue; our own notes are passed over."""
    own = [line for line in lines if not line.is_note]
    readable = masked(own)
    texts = [each.text for each in readable]
    plain = any(text is not None and text.lstrip().startswith(_BULLETS) for text in texts)
    following = [*texts, None][1:]
    unmarked = not any(
        text is not None and is_marked(text, below)
        for text, below in zip(texts, following, strict=True)
    )
    lists = any(text is not None and marker_of(text) is not None for text in texts)
    reader = _Reader(plain=unmarked and lists)
    for at, (line, each) in enumerate(zip(own, readable, strict=True)):
        alone = _blank(texts, at - 1) and _blank(texts, at + 1)
        reader.read(line, each, below=following[at] if _blank(texts, at - 1) else None, alone=alone)
    items = tuple(reader.items)
    undoing = undoing_items([(each.text, each.above, each.headings) for each in items])
    return Outline(
        items=tuple(
            replace(item, section=Section.ROLLBACK) if at in undoing else item
            for at, item in enumerate(items)
        ),
        headings=tuple(reader.headings),
        plain=plain and unmarked,
        unmarked=unmarked,
        notes=len(own) < len(lines),
        inside=frozenset(
            line.number for line, each in zip(own, readable, strict=True) if each.inside
        ),
        kinds={line.number: each.kind for line, each in zip(own, readable, strict=True)},
        quick=frozenset(reader.quick),
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
    quick: list[int] = field(default_factory=list)

    def read(self, line: Line, readable: Readable, *, below: str | None, alone: bool) -> None:
        text = readable.text
        if readable.kind is Kind.FENCE:
            return
        if text is None or not text.strip():
            # A line that is only a comment neither ends nor continues anything.
            self.continuing = self.continuing and bool(text is not None and line.text.strip())
            return
        if readable.kind is Kind.COMMAND:
            self._command(line, text)
            return
        marker = marker_of(text)
        if self._heading(line, text, marker, below=below, alone=alone):
            self.continuing = False
            self.nested.clear()
        elif marker is not None:
            self._open(line, text, marker)
        elif _QUICK_ACTION.match(text) and not _COMMAND.match(text):
            self.quick.append(line.number)
            self.continuing = False
        elif self.continuing:
            self._append(line, text)
        else:
            self._open(line, text, None)

    def _command(self, line: Line, text: str) -> None:
        """Take a command in a fence to the item the fence belongs to, unless it is an example."""
        item = self.items[-1] if self.items else None
        if item is not None and item.headings == self._words() and is_example(item.text):
            return
        indent = columns(text[: len(text) - len(text.lstrip())])
        held = item is not None and item.marker is not None and indent > item.marker.column
        if held or (self.continuing and item is not None and item.marker is None):
            self._append(line, text)
        else:
            self.nested.clear()
            self._open(line, text, None, fenced=True)

    def _append(self, line: Line, text: str) -> None:
        item = self.items[-1]
        breaks = "\n" * (line.number - item.last)
        self.items[-1] = replace(item, last=line.number, text=f"{item.text}{breaks}{text.strip()}")

    def _heading(
        self, line: Line, text: str, marker: Marker | None, *, below: str | None, alone: bool
    ) -> bool:
        if RULE.fullmatch(text) or (UNDERLINE.fullmatch(text) and not self.continuing):
            return True
        if found := heading_in(text, below):
            self._push(line, *found)
        elif DETAILS_END.match(text):
            self.path = [(level, words) for level, words in self.path if level < SUMMARY_LEVEL]
            self._settle()
        elif self.plain and alone and marker is None and reads_like_heading(text):
            self._push(line, PLAIN_LEVEL, text.strip())
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

    def _words(self) -> tuple[str, ...]:
        return tuple(words for _, words in self.path)

    def _open(self, line: Line, text: str, marker: Marker | None, *, fenced: bool = False) -> None:
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
                headings=self._words(),
                section=self.section,
                fenced=fenced,
            )
        )
        if marker is not None:
            self.nested.append((column, len(self.items) - 1))
        self.continuing = True
