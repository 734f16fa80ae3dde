"""Which expressions can a client of flagd evaluate? Those that JsonLogic answers the same way.

Engines of JsonLogic differ in how they convert values. So nothing is left to conversion: a number
is compared with a number only, and true with true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Logic = bool | dict[str, object]
"""A rule that is true or false in every engine."""

TARGETING_KEY: dict[str, object] = {"var": "targetingKey"}

_IDS = frozenset({"flag_id", "flipper_id"})
_ORDERS = {
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}
_TRUE, _FALSE = ["true", "True"], ["false", "False"]
"""How engines write a boolean as a text."""


def logic_of(expression: object) -> Logic | None:
    """Return the expression as a rule of JsonLogic; None if there is none that answers the same."""
    match expression:
        case bool(value):
            return value
        case {"All": [*parts]}:
            return _joined(all_of, parts)
        case {"Any": [*parts]}:
            return _joined(any_of, parts)
        case {"Equal": [left, right]}:
            return _equal(left, right)
        case {"NotEqual": [left, right]}:
            same = _equal(left, right)
            return None if same is None else opposite(same)
        case {"Boolean": [asked] | asked}:
            found = _attribute(asked)
            return None if found is None else _boolean(found)
        case {"Property": _}:
            found = _attribute(expression)
            return None if found is None else _present(found)
        case Mapping() if len(expression) == 1:
            ((name, arguments),) = expression.items()
            return _ordered(_ORDERS.get(name), arguments)
    return None


def all_of(rules: list[Logic]) -> Logic:
    """Return what is true if all rules are."""
    if False in rules:
        return False
    open_ones = [each for each in rules if each is not True]
    if len(open_ones) < 2:  # noqa: PLR2004 one needs no "and"
        return open_ones[0] if open_ones else True
    return {"and": open_ones}


def any_of(rules: list[Logic]) -> Logic:
    """Return what is true if one of the rules is."""
    if True in rules:
        return True
    open_ones = [each for each in rules if each is not False]
    if len(open_ones) < 2:  # noqa: PLR2004 one needs no "or"
        return open_ones[0] if open_ones else False
    return {"or": open_ones}


def opposite(rule: Logic) -> Logic:
    """Return what is true if the rule is not."""
    return not rule if isinstance(rule, bool) else {"!": [rule]}


def _joined(join: Callable[[list[Logic]], Logic], parts: list[object]) -> Logic | None:
    found = [logic_of(each) for each in parts]
    return join([each for each in found if each is not None]) if None not in found else None


def _attribute(asked: object) -> dict[str, object] | None:
    match asked:
        case {"Property": [str(name)] | str(name)}:
            pass
        case _:
            return None
    if name in _IDS:
        return TARGETING_KEY
    # A dot is the path into an object there, and these names mean something else.
    if not name or "." in name or name.startswith("$") or name == "targetingKey":
        return None
    return {"var": name}


def _equal(left: object, right: object) -> Logic | None:
    if isinstance(left, str | int | float):
        left, right = right, left
    attribute = _attribute(left)
    if attribute is None:
        return None
    same: Logic = {"===": [attribute, right]}
    match right:
        case bool(value):
            return _both(same, _written_as(attribute, _TRUE if value else _FALSE))
        case str():
            return same
        case int() | float():
            return _both(same, opposite(_written_as(attribute, _TRUE + _FALSE)))
    return None


def _ordered(operator: str | None, arguments: object) -> Logic | None:
    match arguments:
        case [left, right] if operator:
            pass
        case _:
            return None
    attribute, number = (left, right) if isinstance(left, Mapping) else (right, left)
    found = _attribute(attribute)
    if found is None or isinstance(number, bool) or not isinstance(number, int | float):
        return None
    compared = [found, number] if attribute is left else [number, found]
    return {
        "and": [
            {"!==": [found, None]},
            {"!==": [{"cat": [found]}, found]},  # a text would be read as a number
            opposite(_written_as(found, _TRUE + _FALSE)),
            {operator: compared},
        ]
    }


def _boolean(attribute: dict[str, object]) -> Logic:
    return {
        "or": [
            {"===": [attribute, True]},
            {"===": [attribute, 1]},
            {"in": [attribute, ["true", "1"]]},
        ]
    }


def _present(attribute: dict[str, object]) -> Logic:
    is_false = _both({"===": [attribute, False]}, _written_as(attribute, _FALSE))
    return _both({"!==": [attribute, None]}, opposite(is_false))


def _written_as(attribute: dict[str, object], words: list[str]) -> Logic:
    return {"in": [{"cat": [attribute]}, words]}


def _both(first: Logic, second: Logic) -> Logic:
    return {"and": [first, second]}
