"""Which gates does an export of Flipper hold?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flagstaff.errors import UsageError
from flagstaff.flags.expression import check_expression
from flagstaff.flags.gates import ZERO, Gates
from flagstaff.flags.percentage import parse_percentage


def read_export(body: Any) -> dict[str, Gates]:
    """Return the gates by feature that an export holds.

    Raises:
        UsageError: it is no export of version 1.
    """
    if not isinstance(body, dict) or body.get("version") != 1:
        raise UsageError("the body is no export of version 1")
    features = body.get("features")
    if not isinstance(features, dict):
        raise UsageError("the export has no features")
    return {name: read_gates(name, values) for name, values in features.items()}


def read_gates(name: str, values: Any) -> Gates:
    """Return the gates of one feature.

    Raises:
        UsageError: they are malformed.
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"{name} has no gates")
    if expression := values.get("expression") or None:
        if not isinstance(expression, Mapping):
            raise UsageError(f"{name} has an expression that is no object")
        check_expression(expression)
    boolean = values.get("boolean") in (True, "true", "1", 1)
    gates = Gates(
        boolean=boolean,
        expression=expression,
        actors=_texts(name, values.get("actors")),
        percentage_of_actors=parse_percentage(_number(values.get("percentage_of_actors"))),
        percentage_of_time=parse_percentage(_number(values.get("percentage_of_time"))),
        groups=_texts(name, values.get("groups")),
    )
    # Beside "on for everyone" a percentage answers nothing, and we keep none there.
    return replace(gates, percentage_of_actors=ZERO, percentage_of_time=ZERO) if boolean else gates


def _number(value: Any) -> str:
    return "0" if value in (None, "", False) else str(value)


def _texts(name: str, found: Any) -> frozenset[str]:
    listed = found or []
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise UsageError(f"{name} has members that are not texts")
    try:
        "".join(listed).encode()
    except UnicodeEncodeError as exc:
        raise UsageError(f"{name} has members with half a character") from exc
    return frozenset(listed)
