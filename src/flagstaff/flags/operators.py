"""What do the operators that depend on nothing but their arguments answer?"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_LEADING_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:\.[0-9]+)?")
_TRUE_WORDS = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Pure:
    """A function of its arguments alone, and how many it takes."""

    function: Callable[..., object]
    count: range


def equal(left: object, right: object) -> bool:
    """Return whether both are the same; true is not 1."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def boolean(value: object) -> bool:
    """Return true for true, 1, "true" and "1"."""
    return value in _TRUE_WORDS if isinstance(value, str) else value is True or value == 1


def number(value: object) -> float:
    """Return the number that `value` is or starts with; 0 if it starts with none."""
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime):
        return value.timestamp()
    found = _LEADING_NUMBER.match(value) if isinstance(value, str) else None
    if found is None:
        return 0
    return float(found[0]) if "." in found[0] else int(found[0])


def text(value: object) -> str:
    """Return `value` as a text; nothing is the empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def percentage(value: object) -> float:
    """Return the number in `value`, at least 0 and at most 100."""
    return min(max(float(number(value)), 0.0), 100.0)


def time(value: object) -> datetime | None:
    """Return seconds since 1970, or an ISO 8601 text, as a time; None if it is neither.

    A text without an offset is in UTC.
    """
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _comparing(compare: Callable[[Any, Any], Any]) -> Pure:
    def function(left: object, right: object) -> bool:
        if isinstance(left, bool) or isinstance(right, bool):
            return False
        try:
            return bool(compare(left, right))
        except TypeError:
            return False

    return Pure(function, _TWO)


_ONE, _TWO = range(1, 2), range(2, 3)
PURE = {
    "Boolean": Pure(boolean, _ONE),
    "Equal": Pure(equal, _TWO),
    "GreaterThan": _comparing(operator.gt),
    "GreaterThanOrEqualTo": _comparing(operator.ge),
    "LessThan": _comparing(operator.lt),
    "LessThanOrEqualTo": _comparing(operator.le),
    "NotEqual": Pure(lambda left, right: not equal(left, right), _TWO),
    "Number": Pure(number, _ONE),
    "Percentage": Pure(percentage, _ONE),
    "String": Pure(text, _ONE),
    "Time": Pure(time, _ONE),
}
