"""What does a mapping say under a key, read as the type that the key is known to have?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from flagstaff.definitions.nodes import SHAPES, ListNode, MappingNode, Node, ScalarNode
from flagstaff.definitions.problems import Problems, bare, nearest, quote, suggestion
from flagstaff.errors import UsageError

_TRUE = frozenset({"true", "yes", "on"})
_MAX_UNKNOWN = 20

T = TypeVar("T")


class Fields:
    """A mapping read key by key; whatever is wrong is noted, and reads as if it were absent.

    A key without a value (`group:`) reads as absent too. `within` names the enclosing key, for
    messages.
    """

    def __init__(self, node: MappingNode, problems: Problems, *, within: str = "") -> None:
        self._node = node
        self.problems = problems
        self._within = within

    def __iter__(self) -> Iterator[str]:
        return iter(self._node.items)

    def label(self, key: str) -> str:
        """Return the key with those around it, as messages show it."""
        return f"`{self._within}{bare(key)}`"

    def line(self, key: str) -> int:
        """Return the line of `key`, or of the whole mapping when the key is absent."""
        return self._node.lines.get(key, self._node.line)

    def has(self, key: str) -> bool:
        """Say whether `key` has a value, be it a wrong one."""
        node = self._node.items.get(key)
        return not (node is None or (isinstance(node, ScalarNode) and node.kind == "null"))

    def node(self, key: str) -> Node | None:
        """Return what is written under `key`, as it is written."""
        return self._node.items[key] if self.has(key) else None

    def unknown(self, known: tuple[str, ...], note: Callable[..., None]) -> None:
        """Report every key that is not in `known` through `note`, with the likely spelling."""
        unknown = [key for key in self._node.items if key not in known]
        for key in unknown[:_MAX_UNKNOWN]:
            near = nearest(key, known)
            remedy = f"did you mean `{near}`?" if near else "known are " + ", ".join(known)
            if near and near in self._node.items:
                remedy = f"delete it, as `{near}` is there too"
            where = f" in `{self._within.rstrip('.')}`" if self._within else ""
            note(f"has the unknown key {quote(key)}{where}", line=self.line(key), remedy=remedy)
        if more := unknown[_MAX_UNKNOWN:]:
            note(f"has {len(more)} more unknown keys", line=self.line(more[0]))

    def scalar(self, key: str) -> ScalarNode | None:
        """Return the single value under `key`."""
        node = self._node.items.get(key)
        if node is None or not self.has(key):
            return None
        return self._as_scalar(node, key)

    def text(self, key: str) -> str | None:
        """Return the value as it was typed: `no` is the text `no`, `15.10` is `15.10`."""
        node = self.scalar(key)
        return None if node is None else self._as_text(node, key)

    def required(self, key: str, *, remedy: str = "") -> str:
        """Return the text, or note that there is none and return an empty one."""
        if not self.has(key):
            self.problems.error(
                f"has no {self.label(key)}",
                line=self.line(key),
                remedy=remedy or f"add `{key}: …`",
            )
            return ""
        return self.text(key) or ""

    def boolean(self, key: str) -> bool | None:
        """Return the truth value, in any of YAML's spellings (`true`, `no`, `on` …)."""
        node = self.scalar(key)
        if node is None:
            return None
        if node.kind == "bool":
            return node.text.lower() in _TRUE
        quotes = node.quoted and node.text.lower() in {"true", "false"}
        self.problems.error(
            f"{self.label(key)} is {'the text ' if node.quoted else ''}{quote(node.text)}",
            line=node.line,
            remedy=f"write {node.text.lower()} without quotes" if quotes else "write true or false",
        )
        return None

    def parsed(self, key: str, parse: Callable[[str], T]) -> T | None:
        """Return `parse(text)`; a `UsageError` it raises becomes a problem of this line."""
        node = self.scalar(key)
        return None if node is None else self._parse(node, key, parse)

    def parsed_list(self, key: str, parse: Callable[[str], T]) -> tuple[T, ...] | None:
        """Return every value of a list through `parse`; a single value is a list of one."""
        if not self.has(key):
            return None
        node = self._node.items[key]
        items = node.items if isinstance(node, ListNode) else (node,)
        if not items:
            self.problems.error(
                f"{self.label(key)} is an empty list",
                line=self.line(key),
                remedy="write at least one value, or delete the key",
            )
            return None
        scalars = [self._as_scalar(item, key) for item in items]
        values = [self._parse(item, key, parse) for item in scalars if item is not None]
        found = tuple(value for value in values if value is not None)
        return found if len(found) == len(items) else None

    def choice(self, key: str, words: tuple[str, ...]) -> str | None:
        """Return the text if it is one of `words`."""
        word = self.text(key)
        if word is None or word in words:
            return word
        self.problems.error(
            f"{self.label(key)} is {quote(word)}, which is unknown",
            line=self.line(key),
            remedy=suggestion(word, words),
        )
        return None

    def mapping(self, key: str) -> Fields | None:
        """Return the mapping under `key`."""
        if not self.has(key):
            return None
        return self._as_fields(self._node.items[key], key)

    def mappings(self, key: str) -> tuple[Fields, ...]:
        """Return the mappings in the list under `key`."""
        if not self.has(key):
            return ()
        node = self._node.items[key]
        if not isinstance(node, ListNode):
            self.problems.error(
                f"{self.label(key)} is {SHAPES[type(node)]}, not a list",
                line=self.line(key),
                remedy="start every entry with `- `",
            )
            return ()
        fields = (self._as_fields(item, key) for item in node.items)
        return tuple(field for field in fields if field is not None)

    def texts(self, key: str) -> dict[str, str] | None:
        """Return the mapping of keys to texts under `key`; none of the texts may be empty."""
        fields = self.mapping(key)
        if fields is None:
            return None
        found = {}
        for name in fields:
            if not fields.has(name):
                self.problems.error(
                    f"{fields.label(name)} is empty",
                    line=fields.line(name),
                    remedy="write a value; a value that starts with `#` needs quotes",
                )
            elif (text := fields.text(name)) is not None:
                found[name] = text
        return found

    def _as_fields(self, node: Node, key: str) -> Fields | None:
        if isinstance(node, MappingNode):
            return Fields(node, self.problems, within=f"{self._within}{bare(key)}.")
        self.problems.error(
            f"{self.label(key)} is {SHAPES[type(node)]}, not a mapping",
            line=node.line,
            remedy="write `key: value` lines",
        )
        return None

    def _as_scalar(self, node: Node, key: str) -> ScalarNode | None:
        if isinstance(node, ScalarNode):
            return node
        self.problems.error(
            f"{self.label(key)} holds {SHAPES[type(node)]}",
            line=node.line,
            remedy="write a single value",
        )
        return None

    def _as_text(self, node: ScalarNode, key: str) -> str | None:
        text = node.text
        if text and text.isprintable() and text == text.strip():
            return text
        if not text.strip():
            what = "is empty"
        elif text.isprintable():
            what = f"has blanks around {quote(text.strip())}"
        else:
            what = f"holds a line break or an invisible character: {quote(text)}"
        self.problems.error(
            f"{self.label(key)} {what}", line=node.line, remedy="write one line of plain text"
        )
        return None

    def _parse(self, node: ScalarNode, key: str, parse: Callable[[str], T]) -> T | None:
        text = self._as_text(node, key)
        if text is None:
            return None
        try:
            return parse(text)
        except UsageError as exc:
            self.problems.error(
                f"{self.label(key)}: {exc.message}", line=node.line, remedy=exc.hint
            )
            return None
