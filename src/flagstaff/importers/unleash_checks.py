"""Does a constraint of Unleash hold for an actor?"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flagstaff.flags.actor import Actor
from flagstaff.flags.operators import time
from flagstaff.importers.reading import At
from flagstaff.importers.unleash_constraints import OUTSIDE

Check = Callable[[Actor], bool]

_NUMBERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "NUM_EQ": operator.eq,
    "NUM_GT": operator.gt,
    "NUM_GTE": operator.ge,
    "NUM_LT": operator.lt,
    "NUM_LTE": operator.le,
}
_TEXTS: Mapping[str, Callable[[str, str], bool]] = {
    "STR_CONTAINS": operator.contains,
    "STR_STARTS_WITH": str.startswith,
    "STR_ENDS_WITH": str.endswith,
}
_DATES: Mapping[str, Callable[[Any, Any], bool]] = {
    "DATE_AFTER": operator.gt,
    "DATE_BEFORE": operator.lt,
}


class Unforeseeable(Exception):
    """The answer depends on something that an actor does not have."""


def value_of(field: str, actor: Actor) -> str | None:
    """Return what the context holds under a name; all of it is text there."""
    if field == "userId":
        return actor.flag_id
    found = actor.flag_attributes.get(field)
    return None if found is None else str(found)


def check(constraint: At) -> Check:
    """Return what says whether a constraint holds."""
    field = constraint["contextName"].text()
    compare = _comparison(constraint)
    inverted = constraint["inverted"].truth(default=False)
    if field in OUTSIDE or compare is None:
        return _unforeseeable
    return lambda actor: compare(value_of(field, actor)) is not inverted


def _comparison(constraint: At) -> Callable[[str | None], bool] | None:
    name = constraint["operator"].text()
    if name in {"IN", "NOT_IN"}:
        values, wanted = frozenset(constraint["values"].texts()), name == "IN"
        return lambda value: (value in values) is wanted
    if name in _DATES:
        return _date(constraint, _DATES[name])
    if name in _TEXTS:
        return _text(constraint, _TEXTS[name])
    return _number(constraint, _NUMBERS[name]) if name in _NUMBERS else None


def _date(constraint: At, compare: Callable[[Any, Any], bool]) -> Callable[[str | None], bool]:
    wanted = time(constraint["value"].text())
    by_clock = constraint["contextName"].text() == "currentTime"

    def holds(value: str | None) -> bool:
        asked = datetime.now(UTC) if by_clock else time(value)
        return asked is not None and compare(asked, wanted)

    return holds


def _text(constraint: At, compare: Callable[[str, str], bool]) -> Callable[[str | None], bool]:
    fold = str.lower if constraint["caseInsensitive"].truth(default=False) else str
    values = [fold(each) for each in constraint["values"].texts()]

    def holds(value: str | None) -> bool:
        return value is not None and any(compare(fold(value), each) for each in values)

    return holds


def _number(constraint: At, compare: Callable[[Any, Any], bool]) -> Callable[[str | None], bool]:
    wanted = constraint["value"].number()

    def holds(value: str | None) -> bool:
        try:
            return value is not None and compare(float(value), wanted)
        except ValueError:
            return False

    return holds


def _unforeseeable(_actor: Actor) -> bool:
    raise Unforeseeable
