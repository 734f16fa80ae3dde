"""How is a script read, changed piece by piece, and read again?

A script stays text throughout: what is decided is a marker in it, and each round of changes is
parsed anew. So all that nobody touched keeps its form, and what does not parse is never written.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ast_grep_py import SgNode, SgRoot

TRUE = "__flagstaff_true__"
FALSE = "__flagstaff_false__"
GONE = "__flagstaff_gone__"
_MARKERS = "__flagstaff_"
_LANGUAGES = {
    ".js": ("javascript", "tsx"),  # types after Flow read as TypeScript's, mostly
    ".jsx": ("javascript", "tsx"),
    ".mjs": ("javascript",),
    ".cjs": ("javascript",),
    ".es6": ("javascript",),
    ".ts": ("typescript",),
    ".mts": ("typescript",),
    ".cts": ("typescript",),
    ".tsx": ("tsx",),
}
_AND = re.compile(r"(?<=\s)&(?=\s)")
_MASK = "\ue000"  # of no meaning, anywhere
_LONGEST_LINE = 5000
SCRIPTS = tuple(_LANGUAGES)


class Unreadable(Exception):
    """A file is no script that can be parsed, or the outcome would not be."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Text to stand in the place of what lies between two offsets."""

    start: int
    end: int
    text: str = ""


Change: TypeAlias = tuple[Edit, ...]
"""Edits that are made together or not at all."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script that parses, as text and as a tree."""

    text: str
    language: str
    root: SgNode

    @classmethod
    def of(cls, text: str, language: str) -> Script:
        """Parse a text.

        Raises:
            Unreadable: it does not parse.
        """
        root = SgRoot(text, language).root()
        # Where something is missing, the parser puts in a node of no length.
        missing = text.strip() and root.find(regex="^$") is not None
        if missing or root.find(kind="ERROR") is not None:
            raise Unreadable(f"is no {language}")
        return cls(text, language, root)

    def printed(self) -> bytes:
        """Return the script as it is written to a file."""
        return self.text.replace(_MASK, "&").encode()

    def changed(self, changes: Iterable[Change]) -> Script:
        """Return the script with as many of the changes as do not overlap, the inner ones first.

        Raises:
            Unreadable: the outcome does not parse.
        """
        taken: list[Edit] = []
        for change in sorted(changes, key=_reach):
            if all(_apart(edit, other) for edit in change for other in taken):
                taken += change
        text = self.text
        for edit in sorted(set(taken), reverse=True):
            text = text[: edit.start] + edit.text + text[edit.end :]
        return self if text == self.text else Script.of(text, self.language)

    def markers(self) -> Iterator[tuple[SgNode, str]]:
        """Yield each marker with its text, last ones first."""
        for node in reversed(self.root.find_all(kind="identifier", regex=f"^{_MARKERS}")):
            yield node, node.text()


def read_script(content: bytes, path: str) -> Script:
    """Parse the file at `path`.

    Raises:
        Unreadable: it does not parse, or a program wrote it.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("is not in UTF-8") from error
    if _MARKERS in text or _MASK in text or max(map(len, text.split("\n"))) > _LONGEST_LINE:
        raise Unreadable("was written by a program")
    reason = Unreadable("has no name of a script")
    languages = _LANGUAGES.get(f".{path.rpartition('.')[2]}", ())
    plain = ((text, each) for each in languages)
    masked = ((_masked(text, each), each) for each in languages)
    for attempt, language in itertools.chain(plain, masked):
        try:
            return Script.of(attempt, language)
        except Unreadable as error:
            reason = error
    raise reason


def marker(*, truth: bool) -> str:
    """Return the marker for an answer."""
    return TRUE if truth else FALSE


def span(node: SgNode) -> tuple[int, int]:
    """Return the offsets of a node."""
    reach = node.range()
    return reach.start.index, reach.end.index


def same(one: SgNode | None, other: SgNode | None) -> bool:
    """Tell whether two nodes are one."""
    if one is None or other is None:
        return False
    return span(one) == span(other) and one.kind() == other.kind()


def replace(node: SgNode, text: str) -> Edit:
    """Return the edit that puts a text in the place of a node."""
    return Edit(*span(node), text)


def meaningful(node: SgNode) -> list[SgNode]:
    """Return the named children of a node that are no comments."""
    return [child for child in node.named_children() if child.kind() != "comment"]


def indent_at(text: str, place: int) -> str:
    """Return the blanks at the beginning of the line at an offset."""
    line = text[text.rfind("\n", 0, place) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def moved(root: SgNode, start: int, end: int, indent: str) -> str:
    """Return the lines between two offsets, moved to the left so that they begin at `indent`.

    Text that spans lines keeps them.
    """
    text = root.text()
    whole = [span(n) for kind in ("template_string", "string") for n in root.find_all(kind=kind)]
    fixed = [
        each for each in whole if each[0] < end and each[1] > start and "\n" in text[slice(*each)]
    ]
    lines, at = [], start
    for line in text[start:end].splitlines(keepends=True):
        movable = not any(a < at < b for a, b in fixed)
        lines.append((line, movable and at > start))
        at += len(line)
    depths = [
        len(line) - len(line.lstrip(" \t")) for line, movable in lines if movable and line.strip()
    ]
    extra = min(depths, default=0) - len(indent)
    if extra <= 0:
        return text[start:end]
    return "".join(
        line[min(extra, len(line) - len(line.lstrip(" \t"))) :] if movable else line
        for line, movable in lines
    )


def alone(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the whole lines that a stretch of text fills, `None` if it shares them."""
    first = text.rfind("\n", 0, start) + 1
    rest = re.compile(r"[ \t]*(?:\r?\n|$)").match(text, end)
    if rest is None or text[first:start].strip():
        return None
    return first, rest.end()


def _masked(text: str, language: str) -> str:
    """Return a text with `&` where it is that of a page, which the parser takes for a mistake."""
    masked = _AND.sub(_MASK, text)
    if masked == text:
        return text
    pages = [span(node) for node in SgRoot(masked, language).root().find_all(kind="jsx_text")]
    return _AND.sub(
        lambda found: _MASK if any(a <= found.start() < b for a, b in pages) else "&", text
    )


def _reach(change: Change) -> tuple[int, int]:
    return max(edit.end for edit in change) - min(edit.start for edit in change), change[0].start


def _apart(one: Edit, other: Edit) -> bool:
    return one.end <= other.start or other.end <= one.start
