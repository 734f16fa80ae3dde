"""How is JSON read with the place of each value?"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder, loads

from flagstaff.cleanup.data.nodes import Entry, Kind, Node, Unreadable

_BLANK = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[^\s,:{}\[\]\"]+")

_DECODER = JSONDecoder()


def json_documents(text: str) -> tuple[Node, ...]:
    """Return the one document of a JSON file.

    Raises:
        Unreadable: it is no JSON; comments are none.
    """
    try:
        loads(text)
        node, _ = _value(text, _blank(text, 0))
    except (JSONDecodeError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    return (node,)


def _value(text: str, at: int) -> tuple[Node, int]:
    match text[at]:
        case "{":
            return _collection(text, at, Kind.MAPPING, "}")
        case "[":
            return _collection(text, at, Kind.SEQUENCE, "]")
        case '"':
            string, end = _DECODER.raw_decode(text, at)
            return Node(kind=Kind.SCALAR, start=at, end=end, text=string, how="quoted"), end
    found = _WORD.match(text, at)
    end = found.end() if found else at + 1
    return Node(kind=Kind.SCALAR, start=at, end=end, text=text[at:end]), end


def _collection(text: str, start: int, kind: Kind, closing: str) -> tuple[Node, int]:
    entries: list[Entry] = []
    at = _blank(text, start + 1)
    while text[at] != closing:
        key = None
        if kind is Kind.MAPPING:
            key, at = _value(text, at)
            at = _blank(text, _blank(text, at) + 1)
        value, at = _value(text, at)
        entries.append(Entry(key=key, value=value))
        at = _blank(text, at)
        if text[at] == ",":
            at = _blank(text, at + 1)
    node = Node(kind=kind, start=start, end=at + 1, flow=True, entries=tuple(entries))
    return node, at + 1


def _blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at
