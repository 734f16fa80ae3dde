"""How is a question about an attribute written as one of our expressions?"""

from __future__ import annotations

from collections.abc import Iterable

from flagstaff.importers.condition import (
    NOBODY,
    Condition,
    Json,
    Members,
    Test,
    all_of,
    any_of,
    negated,
)

ID = "flag_id"
"""The attribute that is the actor's own id."""

_HIGHEST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def attribute(name: str) -> Json:
    """Return what reads an attribute."""
    return {"Property": [name]}


def equals(name: str, value: object) -> Condition:
    """Return the condition that the attribute is this text, number or truth value."""
    if name == ID and isinstance(value, str):
        return Members(frozenset({value}))
    return Test({"Equal": [attribute(name), value]})


def is_one_of(name: str, values: Iterable[object]) -> Condition:
    """Return the condition that the attribute is one of the values."""
    return any_of([equals(name, each) for each in values])


def compares(operator: str, left: object, right: object) -> Condition:
    """Return the condition that a comparison holds; values that cannot be compared do not."""
    return Test({operator: [left, right]})


def present(name: str) -> Condition:
    """Return the condition that the attribute is there: a text, a number or a truth value."""
    read = attribute(name)
    return any_of(
        [
            compares("GreaterThanOrEqualTo", read, ""),
            compares("GreaterThanOrEqualTo", read, 0),
            compares("LessThan", read, 0),
            equals(name, True),
            equals(name, False),
        ]
    )


def missing(name: str) -> Condition:
    """Return the condition that the attribute is not there."""
    return negated(present(name))


def starts_with(name: str, prefix: str) -> Condition:
    """Return the condition that the attribute is a text that begins so: it lies in a range."""
    read = attribute(name)
    floor = compares("GreaterThanOrEqualTo", read, prefix)
    kept = prefix.rstrip(chr(_HIGHEST))
    if not kept:
        return floor if not prefix else NOBODY
    after = ord(kept[-1]) + 1
    if after in _SURROGATES:
        after = _SURROGATES.stop
    return all_of([floor, compares("LessThan", read, kept[:-1] + chr(after))])
