"""Where does each value of a YAML or JSON file begin and end?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Unreadable(Exception):
    """A file is no YAML or JSON that can be parsed."""


class Kind(Enum):
    """What a value is; an alias stands for a value that was written elsewhere."""

    SCALAR = "scalar"
    SEQUENCE = "sequence"
    MAPPING = "mapping"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value, and the characters `start` to `end` that it is written in.

    `how` is what else counts for its meaning: a tag, or the style of a scalar. `flow` collections
    stand in brackets; `bare` ones bear neither an anchor nor a tag.
    """

    kind: Kind
    start: int
    end: int
    text: str = ""
    how: str = ""
    anchor: str = ""
    flow: bool = False
    entries: tuple[Entry, ...] = ()

    def __eq__(self, other: object) -> bool:
        """Tell whether two values mean the same, wherever they stand."""
        return isinstance(other, Node) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        """Return the same for what means the same."""
        return hash(self._meaning())

    def _meaning(self) -> tuple[object, ...]:
        pairs = tuple((entry.key, entry.value) for entry in self.entries)
        return (self.kind, self.text, self.how, self.anchor, pairs)

    @property
    def bare(self) -> bool:
        """Tell whether nothing but the value itself is written."""
        return not self.anchor and not self.how


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An item of a sequence, or a pair of a mapping, which has a key."""

    value: Node
    key: Node | None = None

    @property
    def start(self) -> int:
        """Return where it begins; the dash of an item is before that."""
        return self.value.start if self.key is None else self.key.start

    @property
    def end(self) -> int:
        """Return where it ends; what is written after a value of its is not in it."""
        return self.value.end if self.key is None else max(self.key.end, self.value.end)

    @property
    def name(self) -> str:
        """Return the text of its key, empty for an item."""
        return "" if self.key is None else self.key.text


def nodes_in(node: Node) -> Iterator[Node]:
    """Yield a value and all the values in it, keys as well."""
    yield node
    for entry in node.entries:
        if entry.key is not None:
            yield from nodes_in(entry.key)
        yield from nodes_in(entry.value)
