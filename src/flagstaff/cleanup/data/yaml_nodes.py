"""How is YAML read with the place of each value?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from flagstaff.cleanup.data.nodes import Entry, Kind, Node, Unreadable

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_ODD = re.compile("\r(?!\n)|[\x85\u2028\u2029\ufeff]")
"""Line ends that only YAML takes for some, and the mark at the start that no position counts."""


def yaml_documents(text: str) -> tuple[Node, ...]:
    """Return the documents of a YAML file; an alias stays one.

    Raises:
        Unreadable: it is no YAML, or has line ends that few programs take for such.
    """
    if _ODD.search(text):
        raise Unreadable("unusual line ends")
    try:
        return tuple(_documents(yaml.parse(text, Loader=_LOADER), text))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unreadable(str(error)) from error


def _documents(events: Iterator[Any], text: str) -> Iterator[Node]:
    for event in events:
        if not isinstance(event, yaml.StreamStartEvent | yaml.StreamEndEvent) and not isinstance(
            event, yaml.DocumentStartEvent | yaml.DocumentEndEvent
        ):
            yield _node(event, events, text)


def _node(event: Any, events: Iterator[Any], text: str) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.AliasEvent):
        return Node(kind=Kind.ALIAS, start=start, end=end, text=event.anchor or "")
    anchor, tag = event.anchor or "", event.tag or ""
    if isinstance(event, yaml.ScalarEvent):
        # A block of text ends where the next thing begins.
        end = start + len(text[start:end].rstrip())
        how = tag + ("" if event.style in {None, ""} else "quoted")
        return Node(
            kind=Kind.SCALAR, start=start, end=end, text=event.value, how=how, anchor=anchor
        )
    flow = bool(event.flow_style)
    if isinstance(event, yaml.MappingStartEvent):
        kind, pairs, end = _pairs(events, text)
    else:
        kind, pairs, end = _items(events, text)
    if not flow and pairs:
        end = pairs[-1].end
    return Node(kind=kind, start=start, end=end, how=tag, anchor=anchor, flow=flow, entries=pairs)


def _pairs(events: Iterator[Any], text: str) -> tuple[Kind, tuple[Entry, ...], int]:
    found: list[Entry] = []
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            return Kind.MAPPING, tuple(found), _index(event.end_mark)
        key = _node(event, events, text)
        found.append(Entry(key=key, value=_node(next(events), events, text)))
    raise Unreadable("a mapping has no end")


def _items(events: Iterator[Any], text: str) -> tuple[Kind, tuple[Entry, ...], int]:
    found: list[Entry] = []
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            return Kind.SEQUENCE, tuple(found), _index(event.end_mark)
        found.append(Entry(value=_node(event, events, text)))
    raise Unreadable("a sequence has no end")


def _index(mark: Any) -> int:
    return int(mark.index)
