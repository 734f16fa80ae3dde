"""What does a constraint of Unleash say as an expression?"""

from __future__ import annotations

from flagstaff.flags.operators import time
from flagstaff.importers.attributes import (
    ID,
    attribute,
    compares,
    is_one_of,
    present,
    starts_with,
)
from flagstaff.importers.condition import Condition, Json, Lose, all_of, any_of, negated
from flagstaff.importers.reading import At

NUMBERS = {
    "NUM_EQ": "Equal",
    "NUM_GT": "GreaterThan",
    "NUM_GTE": "GreaterThanOrEqualTo",
    "NUM_LT": "LessThan",
    "NUM_LTE": "LessThanOrEqualTo",
}
_DATES = {"DATE_AFTER": "GreaterThan", "DATE_BEFORE": "LessThan"}
_TELLS = {
    "STR_CONTAINS": "an expression cannot look inside a text",
    "STR_ENDS_WITH": "an expression cannot look at the end of a text",
    "SEMVER_EQ": "an expression cannot compare versions",
    "SEMVER_GT": "an expression cannot compare versions",
    "SEMVER_LT": "an expression cannot compare versions",
    "REGEX": "an expression knows no patterns",
}
OUTSIDE = frozenset({"appName", "environment"})
"""What a context has that is no attribute of an actor."""


def constraint_condition(constraint: At, lose: Lose) -> Condition:
    """Return for whom the constraint holds."""
    field = constraint["contextName"].name()
    if field in OUTSIDE:
        why = f"{field} belongs to the application that asks, not to the actor"
        return lose(constraint["contextName"].place, why)
    condition = _condition(constraint, ID if field == "userId" else field, lose)
    return negated(condition) if constraint["inverted"].truth(default=False) else condition


def _condition(constraint: At, name: str, lose: Lose) -> Condition:
    at, operator = constraint["operator"], constraint["operator"].text()
    if operator in {"IN", "NOT_IN"}:
        listed = is_one_of(name, constraint["values"].texts())
        return listed if operator == "IN" else negated(listed)
    if operator == "STR_STARTS_WITH":
        if constraint["caseInsensitive"].truth(default=False):
            return lose(constraint["caseInsensitive"].place, "an expression minds the case")
        return any_of([starts_with(name, each) for each in constraint["values"].texts()])
    if operator in NUMBERS:
        number: Json = {"Number": [attribute(name)]}
        wanted = constraint["value"].number()
        return all_of([present(name), compares(NUMBERS[operator], number, wanted)])
    if operator in _DATES:
        return _date(constraint, name, _DATES[operator])
    return lose(at.place, f"{operator}: {_TELLS.get(operator, 'it is not known here')}")


def _date(constraint: At, name: str, operator: str) -> Condition:
    wanted = constraint["value"].text()
    if time(wanted) is None:
        raise constraint["value"].wrong("a time such as 2026-03-31T00:00:00Z")
    asked: Json = {"Now": []} if name == "currentTime" else {"Time": [attribute(name)]}
    return compares(operator, asked, {"Time": [wanted]})
