"""What does a condition of GrowthBook say as an expression?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flagstaff.importers.attributes import ID, attribute, compares, equals, missing, present
from flagstaff.importers.condition import (
    EVERYBODY,
    NOBODY,
    Condition,
    Lose,
    all_of,
    any_of,
    negated,
)
from flagstaff.importers.reading import At

_ORDERS = {
    "$lt": "LessThan",
    "$lte": "LessThanOrEqualTo",
    "$gt": "GreaterThan",
    "$gte": "GreaterThanOrEqualTo",
}
_NOT_HERE = "an expression has nothing like it"
_DEEPEST = 30


def conditions_of(at: At, groups: Mapping[str, At], lose: Lose) -> Iterator[Condition]:
    """Return what must hold together; nothing for no condition."""
    yield _condition(at, groups, lose, 0)


def _condition(at: At, groups: Mapping[str, At], lose: Lose, depth: int) -> Condition:
    if depth > _DEEPEST:
        return lose(at.place, "it is nested too deeply")
    return all_of([_entry(key, value, groups, lose, depth) for key, value in at.items()])


def _entry(key: str, at: At, groups: Mapping[str, At], lose: Lose, depth: int) -> Condition:
    match key:
        case "$or" | "$nor":
            parts = [_condition(each, groups, lose, depth + 1) for each in at.each()]
            found = any_of(parts) if parts else EVERYBODY
            return found if key == "$or" else negated(found)
        case "$and":
            return all_of([_condition(each, groups, lose, depth + 1) for each in at.each()])
        case "$not":
            return negated(_condition(at, groups, lose, depth + 1))
    if key.startswith("$"):
        return lose(at.place, f"{key}: {_NOT_HERE}")
    if "." in key:
        return lose(at.place, "it lies inside another attribute")
    return _value(ID if key == "id" else key, at, groups, lose, depth)


def _value(name: str, at: At, groups: Mapping[str, At], lose: Lose, depth: int) -> Condition:
    if depth > _DEEPEST:
        return lose(at.place, "it is nested too deeply")
    if isinstance(at.value, dict) and all(str(key).startswith("$") for key in at.value):
        operators = [_operator(key, name, value, groups, lose, depth) for key, value in at.items()]
        return all_of(operators)
    return _equal(name, at, lose)


def _equal(name: str, at: At, lose: Lose) -> Condition:
    if at.value is None:
        return missing(name)
    if isinstance(at.value, list | dict):
        return lose(at.place, "an expression compares texts, numbers and truth values alone")
    return equals(name, at.value)


def _operator(
    key: str, name: str, at: At, groups: Mapping[str, At], lose: Lose, depth: int
) -> Condition:
    match key:
        case "$eq":
            return _equal(name, at, lose)
        case "$ne":
            return negated(_equal(name, at, lose))
        case "$in" | "$nin":
            listed = list(at.each())
            found = any_of([_equal(name, each, lose) for each in listed])
            return found if key == "$in" else negated(found)
        case "$inGroup" | "$notInGroup":
            return _in_group(name, at, groups, lose, wanted=key == "$inGroup")
        case "$exists":
            return present(name) if at.value else missing(name)
        case "$not":
            return negated(_value(name, at, groups, lose, depth + 1))
        case _ if key in _ORDERS:
            return _ordered(key, name, at)
    return lose(at.place, f"{key}: {_NOT_HERE}")


def _ordered(key: str, name: str, at: At) -> Condition:
    if isinstance(at.value, bool) or not isinstance(at.value, str | int | float):
        return NOBODY
    return compares(_ORDERS[key], attribute(name), at.value)


def _in_group(
    name: str, at: At, groups: Mapping[str, At], lose: Lose, *, wanted: bool
) -> Condition:
    listed = groups.get(at.text())
    if listed is None:
        return lose(at.place, f"the export does not say who is in the group {at.text()!r}")
    found = any_of([_equal(name, each, lose) for each in listed.each()])
    return found if wanted else negated(found)
