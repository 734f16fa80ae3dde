"""How does one entry leave the text of a YAML or JSON file, with every other byte as it was?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from flagstaff.cleanup.asking import parts
from flagstaff.cleanup.data.nodes import Entry, Kind, Node, Unreadable, nodes_in

Reader = Callable[[str], tuple[Node, ...]]
_COLON = re.compile(r"[ \t]*:")
_COMMENT = re.compile(r"[ \t]*(?:(?<=[ \t])#[^\n]*)?\r?(?:\n|\Z)")
_SEPARATOR = re.compile(r"(\s*,\s*)(?:\?\s+)?")
"""A comma, and the mark of a key that is empty or long."""
_NOTHING = re.compile(r"[\s,]*")


class Uncuttable(Exception):
    """An entry cannot go without touching something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An entry, the collection it is in, and the entry of which that is the value."""

    flag: str
    entry: Entry
    collection: Node
    holder: Entry | None = None


def without_entry(text: str, place: Place, read: Reader) -> str:
    """Return a file without an entry, and without what is said of it right above.

    A collection that loses its last entry is written as `[]` or `{}`. Everything else stays as it
    is, byte by byte, and means what it meant.

    Raises:
        Uncuttable: the entry does not stand apart, or something refers to it.
    """
    try:
        return _cut(text, place, read)
    except Unreadable as error:
        raise Uncuttable(str(error)) from error
    except RecursionError as error:
        raise Uncuttable("it is nested too deeply") from error


def _cut(text: str, place: Place, read: Reader) -> str:
    shorter = _flow(text, place) if place.collection.flow else _block(text, place)
    after = read(shorter)
    if after != tuple(_without(document, place.entry) for document in read(text)):
        raise Uncuttable("something else would change")
    if _anchors(place.entry) & {n.text for d in after for n in nodes_in(d) if n.kind is Kind.ALIAS}:
        raise Uncuttable("an alias refers to it")
    return shorter


def _without(node: Node, gone: Entry) -> Node:
    """Return what a value means without an entry that stands in it."""
    kept = tuple(
        Entry(key=each.key, value=_without(each.value, gone))
        for each in node.entries
        if (each.start, each.end) != (gone.start, gone.end) or each != gone
    )
    return Node(
        kind=node.kind,
        start=node.start,
        end=node.end,
        text=node.text,
        how=node.how,
        anchor=node.anchor,
        entries=kept,
    )


def _anchors(entry: Entry) -> set[str]:
    parts = (entry.value,) if entry.key is None else (entry.key, entry.value)
    return {node.anchor for part in parts for node in nodes_in(part)} - {""}


def _flow(text: str, place: Place) -> str:
    entries, node = place.collection.entries, place.collection
    number = _number(place)
    if len(entries) == 1:
        first = text.index("[" if node.kind is Kind.SEQUENCE else "{", node.start) + 1
        start, end = first, node.end - 1
        around = text[start : place.entry.start] + text[place.entry.end : end]
        _check(_NOTHING, around)
    elif number + 1 < len(entries):
        between = text[place.entry.end : entries[number + 1].start]
        start, end = place.entry.start, place.entry.end + _check(_SEPARATOR, between).end(1)
    else:
        start, end = entries[number - 1].end, place.entry.end
        _check(_SEPARATOR, text[start : place.entry.start])
    return text[:start] + text[end:]


def _block(text: str, place: Place) -> str:
    entry = place.entry
    start = text.rfind("\n", 0, entry.start) + 1
    lead = r" *-[ \t]+" if place.collection.kind is Kind.SEQUENCE else " *"
    _check(re.compile(lead), text[start : entry.start])
    rest = _COMMENT.match(text, _written_end(text, entry))
    if rest is None:
        raise Uncuttable("something else stands in its line")
    start = _told_of(text, place, start, rest.end())
    if len(place.collection.entries) > 1:
        return text[:start] + text[rest.end() :]
    return _emptied(text, place, start, rest.end())


def _written_end(text: str, entry: Entry) -> int:
    """Return the end of an entry, past the colon where nothing comes after it."""
    if entry.key is not None and (colon := _COLON.match(text, entry.end)):
        return colon.end()
    return entry.end


def _emptied(text: str, place: Place, start: int, end: int) -> str:
    empty = "[]" if place.collection.kind is Kind.SEQUENCE else "{}"
    if place.holder is None:
        line_end = "\r\n" if text[start:end].endswith("\r\n") else "\n"
        return f"{text[:start]}{empty}{line_end}{text[end:]}"
    key = place.holder.key
    colon = None if key is None else _COLON.match(text, key.end)
    if colon is None or not place.collection.bare:
        raise Uncuttable("nothing would be left around it")
    at = colon.end()
    return f"{text[:at]} {empty}{text[at:start]}{text[end:]}"


def _told_of(text: str, place: Place, start: int, end: int) -> int:
    """Return where the comments begin that stand right above a line and tell of it alone.

    Without a gap or a comment behind it they may be a heading for the next entry too, unless they
    have the words of the flag's name.
    """
    depth, first = _depth(_line(text, start)), start
    while first:
        above = text.rfind("\n", 0, first - 1) + 1
        line = _line(text, above)
        if not line.lstrip().startswith("#") or _depth(line) != depth:
            break
        first = above
    behind = _line(text, end)
    shared = behind.strip() and not behind.lstrip().startswith("#") and _depth(behind) >= depth
    if shared and not parts(place.flag) <= parts(text[first:start]):
        return start
    # What a file begins with is about the file.
    return first or start


def _line(text: str, start: int) -> str:
    return text[start:].partition("\n")[0]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _number(place: Place) -> int:
    return [entry.start for entry in place.collection.entries].index(place.entry.start)


def _check(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise Uncuttable("something else stands beside it")
    return found
