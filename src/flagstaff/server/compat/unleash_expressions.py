"""Which expressions can a client of Unleash evaluate? Comparisons of attributes with texts."""

from __future__ import annotations

from collections.abc import Mapping

Constraint = dict[str, object]

_IDS = frozenset({"flag_id", "flipper_id"})
_FIELDS = frozenset(
    {"userId", "sessionId", "remoteAddress", "environment", "appName", "currentTime"}
)
"""What a context of Unleash has beside the attributes; an attribute of that name is not seen."""


def alternatives(expression: Mapping[str, object]) -> list[list[Constraint]] | None:
    """Return lists of constraints, one of which must hold as a whole; None if there are none.

    Numbers are left aside: attributes reach Unleash as texts, for which ours compares otherwise.
    """
    ((name, found),) = expression.items()
    parts = found if isinstance(found, list) else [found]
    wholes = parts if name == "Any" else [expression]
    listed = [_whole(each) for each in wholes]
    return [each for each in listed if each is not None] if None not in listed else None


def _whole(expression: object) -> list[Constraint] | None:
    match expression:
        case {"All": [*parts]} if parts:
            listed = [_comparison(each) for each in parts]
        case _:
            listed = [_comparison(expression)]
    return [each for each in listed if each is not None] if None not in listed else None


def _comparison(expression: object) -> Constraint | None:
    match expression:
        case {"Equal": [{"Property": [str(name)] | str(name)}, str(value)]}:
            operator = "IN"
        case {"NotEqual": [{"Property": [str(name)] | str(name)}, str(value)]}:
            operator = "NOT_IN"
        case _:
            return None
    # Clients strip the values and leave out empty ones.
    if name in _FIELDS or not value or value != value.strip():
        return None
    context_name = "userId" if name in _IDS else name
    return {"contextName": context_name, "operator": operator, "values": [value]}
