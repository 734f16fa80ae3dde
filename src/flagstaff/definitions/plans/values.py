"""How is one value of a plan read, and written so that it is read as the same again?"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.nodes import ListNode, ScalarNode
from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError
from flagstaff.flags.percentage import format_percentage

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Flow(list[object]):
    """A list that is written on one line."""


class FlowMap(dict[str, object]):
    """A mapping that is written on one line."""


class Plain(str):
    """A text that is written without quotes, such as a number."""

    __slots__ = ()


def raw(fields: Fields, key: str) -> str | None:
    """Return the text under `key` as it stands: titles of issues hold all kinds of characters."""
    node = fields.scalar(key)
    return None if node is None else node.text


def texts(fields: Fields, key: str) -> tuple[str, ...] | None:
    """Return the texts in a list, which may be empty; a single value is a list of one."""
    node = fields.node(key)
    if node is None:
        return None
    if isinstance(node, ScalarNode):
        return (node.text,)
    if isinstance(node, ListNode) and not node.items:
        return ()
    return fields.parsed_list(key, str)


def raws(fields: Fields, key: str) -> tuple[str, ...]:
    """Return the texts in a list as they stand."""
    node = fields.node(key)
    items = node.items if isinstance(node, ListNode) else (node,)
    return tuple(each.text for each in items if isinstance(each, ScalarNode))


def step_id(text: str) -> str:
    """Return `text` if it can name a step.

    Raises:
        UsageError: it cannot.
    """
    if _ID.fullmatch(text):
        return text
    raise UsageError(
        f"{quote(text)} cannot name a step",
        hint="write letters, digits, `-`, `_` and `.`, at most 64",
    )


def number(low: float, high: float) -> Callable[[str], float]:
    """Return what reads a number between the two."""

    def parse(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if low <= found <= high:
            return found
        raise UsageError(
            f"{quote(text)} is no number from {low:g} to {high:g}",
            hint=f"write a number from {low:g} to {high:g}",
        )

    return parse


def whole(text: str) -> int:
    """Return a whole number.

    Raises:
        UsageError: it is none.
    """
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    raise UsageError(f"{quote(text)} is no whole number", hint="write digits only")


def share(value: Decimal) -> Plain:
    """Return a percentage as it is written."""
    return Plain(format_percentage(value))


def flow(values: tuple[str, ...]) -> Flow:
    """Return a list for one line."""
    return Flow(values)


def unique(wanted: str, taken: set[str]) -> str:
    """Return `wanted`, or with the first number that nobody has, and take it."""
    found = next(each for each in _numbered(wanted) if each not in taken)
    taken.add(found)
    return found


def _numbered(wanted: str) -> Iterator[str]:
    yield wanted
    at = 2
    while True:
        yield f"{wanted}-{at}"
        at += 1
