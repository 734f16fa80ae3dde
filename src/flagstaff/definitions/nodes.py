"""What is written in a YAML file, node by node, before anybody decides what it means?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from flagstaff.definitions.problems import Problems, quote
from flagstaff.definitions.source import decode

_MAX_DEPTH: Final = 20
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_RESOLVER: Final = yaml.resolver.Resolver()
_TAG_PREFIX: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarNode:
    """One value as it was typed; `quoted` says that it can only be a text."""

    text: str
    quoted: bool
    line: int

    @property
    def kind(self) -> str:
        """What YAML 1.1 would take it for: `str`, `bool`, `null`, `int`, `float`, `timestamp` …."""
        if self.quoted:
            return "str"
        tag = _RESOLVER.resolve(yaml.ScalarNode, self.text, (True, False))  # type: ignore[no-untyped-call]
        return str(tag).removeprefix(_TAG_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNode:
    """A list of nodes."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingNode:
    """Keys, each there once and a text, with the nodes they name; `lines` are those of the keys."""

    items: dict[str, Node]
    lines: dict[str, int]
    line: int


SHAPES: Final = {ScalarNode: "a single value", ListNode: "a list", MappingNode: "a mapping"}
Node = ScalarNode | ListNode | MappingNode


class _TooDeep(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def read_nodes(data: bytes, problems: Problems) -> Node | None:
    """Return the one document in `data`; None when it holds nothing or is no readable YAML.

    Everything unreadable is noted in `problems`; an empty document is not.
    """
    text = decode(data, problems)
    if text is None:
        return None
    try:
        return _Tree(text, problems).document()
    except _TooDeep as exc:
        problems.error(f"is nested more than {_MAX_DEPTH} levels deep", line=exc.line)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
        cure = _cure(str(exc.problem), text, line)
        problems.error(f"is not valid YAML: {exc.problem}", line=line, remedy=cure)
    except (yaml.YAMLError, ValueError, OverflowError) as exc:
        # The loader without libyaml lets `chr()` fail on an escape such as "\UFFFFFFFF".
        problems.error(f"is not valid YAML: {exc}")
    return None


def _cure(problem: str, text: str, line: int) -> str:
    if re.match(" *\t", "".join(text.split("\n")[line - 1 : line])):
        return "indent with spaces, not tabs"
    if "mapping values are not allowed" in problem:
        return "put quotes around a value that holds `: `, and check the indentation"
    return "put quotes around special characters, and check the indentation"


class _Tree:
    """Build our nodes from the parser's events, because aliases and key lines are lost later."""

    def __init__(self, text: str, problems: Problems) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._problems = problems

    def document(self) -> Node | None:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        node = self._node(next(self._events), 0)
        next(self._events)
        if not isinstance(after := next(self._events), yaml.StreamEndEvent):
            self._problems.error(
                "holds more than one document",
                line=_line(after),
                remedy="keep one document per file, without further `---`",
            )
        if isinstance(node, ScalarNode) and not node.text and not node.quoted:
            return None
        return node

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise _TooDeep(_line(event))
        self._refuse_references(event)
        match event:
            case yaml.SequenceStartEvent():
                return self._list(event, depth)
            case yaml.MappingStartEvent():
                return self._mapping(event, depth)
            case yaml.ScalarEvent():
                quoted = event.style in {"'", '"', "|", ">"} or event.tag is not None
                return ScalarNode(text=event.value, quoted=quoted, line=_line(event))
        # An alias, already refused: its value does not matter any more.
        return ScalarNode(text="", quoted=False, line=_line(event))

    def _list(self, start: yaml.Event, depth: int) -> ListNode:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return ListNode(items=tuple(items), line=_line(start))

    def _mapping(self, start: yaml.Event, depth: int) -> MappingNode:
        node = MappingNode(items={}, lines={}, line=_line(start))
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, ScalarNode):
                self._problems.error(
                    f"has {SHAPES[type(key)]} as a key",
                    line=key.line,
                    remedy="write a single word as the key",
                )
            elif key.text in node.items:
                self._problems.error(
                    f"has the key {quote(key.text)} twice, first in line {node.lines[key.text]}",
                    line=key.line,
                    remedy="keep one of the two",
                )
            else:
                node.items[key.text] = value
                node.lines[key.text] = key.line
        return node

    def _refuse_references(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._problems.error(
                f"uses the alias {quote(f'*{event.anchor}')}",
                line=_line(event),
                remedy="write the value out, or put quotes around a text that starts with `*`",
            )
            return
        if anchor := getattr(event, "anchor", None):
            self._problems.error(
                f"sets the anchor {quote(f'&{anchor}')}",
                line=_line(event),
                remedy="write the value out, or put quotes around a text that starts with `&`",
            )
        tag = getattr(event, "tag", None)
        if tag not in {None, "!", _TAG_PREFIX + "str"}:
            self._problems.error(
                f"uses the tag {quote(tag)}",
                line=_line(event),
                remedy="write the value without a tag; what it means is known from its key",
            )


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
