"""Does a condition of GrowthBook hold?"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from flagstaff.importers.reading import At

Check = Callable[[Mapping[str, Any]], bool]
_OnValue = Callable[[Any], bool]

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$lt": operator.lt,
    "$lte": operator.le,
    "$gt": operator.gt,
    "$gte": operator.ge,
}
_PATTERNS = {"$regex": True, "$regexi": True, "$notRegex": False, "$notRegexi": False}


class Unforeseeable(Exception):
    """The answer depends on something that is not known."""


def condition_check(at: At, groups: Mapping[str, At]) -> Check:
    """Return what says whether a condition holds for attributes; none always holds."""
    checks = [_entry(key, value, groups) for key, value in at.items()]
    return lambda attributes: all(each(attributes) for each in checks)


def _entry(key: str, at: At, groups: Mapping[str, At]) -> Check:
    match key:
        case "$or" | "$nor":
            parts, wanted = [condition_check(each, groups) for each in at.each()], key == "$or"
            if not parts:
                return lambda _attributes: wanted
            return lambda attributes: any(each(attributes) for each in parts) is wanted
        case "$and":
            parts = [condition_check(each, groups) for each in at.each()]
            return lambda attributes: all(each(attributes) for each in parts)
        case "$not":
            inner = condition_check(at, groups)
            return lambda attributes: not inner(attributes)
    if key.startswith("$"):
        return _unforeseeable
    holds, way = _value(at, groups), key.split(".")

    def check(attributes: Mapping[str, Any]) -> bool:
        found: Any = attributes
        for each in way:
            found = found.get(each) if isinstance(found, Mapping) else None
        return holds(found)

    return check


def _value(at: At, groups: Mapping[str, At]) -> _OnValue:
    if isinstance(at.value, dict) and all(str(key).startswith("$") for key in at.value):
        checks = [_operator(key, value, groups) for key, value in at.items()]
        return lambda value: all(each(value) for each in checks)
    wanted = at.value
    if isinstance(wanted, list | dict):
        return _unforeseeable
    return lambda value: _same(value, wanted)


def _operator(key: str, at: At, groups: Mapping[str, At]) -> _OnValue:
    match key:
        case "$eq":
            return lambda value: _same(value, at.value)
        case "$ne":
            return lambda value: not _same(value, at.value)
        case "$in" | "$nin":
            return _listed([each.value for each in at.each()], wanted=key == "$in")
        case "$inGroup" | "$notInGroup":
            listed = groups.get(at.text())
            if listed is None:
                return _unforeseeable
            return _listed([each.value for each in listed.each()], wanted=key == "$inGroup")
        case "$exists":
            return lambda value: (value is not None) is bool(at.value)
        case "$not":
            inner = _value(at, groups)
            return lambda value: not inner(value)
        case _ if key in _ORDERS:
            return _ordered(_ORDERS[key], at.value)
        case _ if key in _PATTERNS:
            return _pattern(key, at)
    return _unforeseeable


def _listed(values: list[Any], *, wanted: bool) -> _OnValue:
    def holds(value: Any) -> bool:
        asked = value if isinstance(value, list) else [value]
        return any(_same(one, each) for one in asked for each in values) is wanted

    return holds


def _ordered(compare: Callable[[Any, Any], bool], wanted: Any) -> _OnValue:
    def holds(value: Any) -> bool:
        texts = isinstance(value, str) and isinstance(wanted, str)
        return (texts or (_is_number(value) and _is_number(wanted))) and compare(value, wanted)

    return holds


def _pattern(key: str, at: At) -> _OnValue:
    try:
        pattern = re.compile(at.text(), re.IGNORECASE if key.endswith("i") else 0)
    except re.error:
        return _unforeseeable
    wanted = _PATTERNS[key]
    return lambda value: (isinstance(value, str) and pattern.search(value) is not None) is wanted


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return False
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unforeseeable(_value: Any) -> bool:
    raise Unforeseeable
