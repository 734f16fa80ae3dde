"""How is a change of gates written in a plan?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, cast

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.plans.values import Flow, FlowMap, flow, share
from flagstaff.definitions.problems import quote
from flagstaff.errors import UsageError
from flagstaff.flags.change import (
    Actors,
    Boolean,
    Expression,
    GateChange,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)
from flagstaff.flags.expression import check_expression
from flagstaff.flags.percentage import parse_percentage
from flagstaff.rollouts.plan import SetGate

GATES: Final = (
    "boolean",
    "percentage_of_actors",
    "percentage_of_time",
    "actors",
    "groups",
    "expression",
)
SET_KEYS: Final = (*GATES, "enabled", "environments", "overrides")
NONE: Final = "none"


def read_change(fields: Fields) -> GateChange | None:
    """Return the one change that the mapping names, or note what is wrong with it."""
    named = [gate for gate in GATES if fields.has(gate)]
    if len(named) != 1:
        what = " and ".join(f"`{each}`" for each in named)
        fields.problems.error(
            f"sets {what} in one step" if named else "sets no gate",
            line=fields.line(named[1] if named else ""),
            remedy="make a step of each" if named else f"write one of {', '.join(GATES)}",
        )
        return None
    (gate,) = named
    scoped = gate in {"actors", "groups"}
    if fields.has("enabled") and not scoped:
        fields.problems.error(
            f"{fields.label('enabled')} goes with `actors` or `groups`",
            line=fields.line("enabled"),
            remedy=f"leave it out beside `{gate}`",
        )
    return _READ[gate](fields, gate)


def write_set(action: SetGate) -> object:
    """Return what stands under `set:`."""
    written = write_change(action.change)
    written["environments"] = flow(action.environments)
    if action.overrides:
        written["overrides"] = flow(action.overrides)
    return written


def _boolean(fields: Fields, key: str) -> GateChange | None:
    value = fields.boolean(key)
    return None if value is None else Boolean(value=value)


def _of_actors(fields: Fields, key: str) -> GateChange | None:
    value = fields.parsed(key, parse_percentage)
    return None if value is None else PercentageOfActors(value=value)


def _of_time(fields: Fields, key: str) -> GateChange | None:
    value = fields.parsed(key, parse_percentage)
    return None if value is None else PercentageOfTime(value=value)


def _scoped(
    make: Callable[[tuple[str, ...], bool], GateChange],
) -> Callable[[Fields, str], GateChange | None]:
    def read(fields: Fields, key: str) -> GateChange | None:
        names = fields.parsed_list(key, str)
        enabled = fields.boolean("enabled")
        return None if names is None else make(names, enabled is not False)

    return read


def _expression(fields: Fields, key: str) -> GateChange | None:
    return fields.parsed(key, _parsed_expression)


def _parsed_expression(text: str) -> Expression:
    if text == NONE:
        return Expression(value=None)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UsageError(
            f"{quote(text)} is not JSON",
            hint="write the expression as JSON in single quotes, or `none`",
        ) from exc
    if not isinstance(found, dict):
        raise UsageError(f"{quote(text)} is no operator with its arguments")
    check_expression(found)
    return Expression(value=cast("dict[str, object]", found))


_READ: Final[Mapping[str, Callable[[Fields, str], GateChange | None]]] = {
    "boolean": _boolean,
    "percentage_of_actors": _of_actors,
    "percentage_of_time": _of_time,
    "actors": _scoped(lambda ids, on: Actors(ids=ids, value=on)),
    "groups": _scoped(lambda names, on: Groups(names=names, value=on)),
    "expression": _expression,
}


def write_change(change: GateChange) -> FlowMap:
    """Return the change as a mapping."""
    return FlowMap(_words(change))


def read_wanted(fields: Fields, key: str, _: object) -> GateChange | None:
    """Return the change that a mapping under the key names."""
    wanted = fields.mapping(key)
    if wanted is None:
        return None
    wanted.unknown((*GATES, "enabled"), wanted.problems.error)
    return read_change(wanted)


def _words(change: GateChange) -> dict[str, object]:
    match change:
        case Boolean(value=value):
            return {"boolean": value}
        case PercentageOfActors(value=value):
            return {"percentage_of_actors": share(value)}
        case PercentageOfTime(value=value):
            return {"percentage_of_time": share(value)}
        case Actors(ids=names, value=value):
            return {"actors": Flow(names), "enabled": value}
        case Groups(names=names, value=value):
            return {"groups": Flow(names), "enabled": value}
        case Expression(value=condition):
            text = NONE if condition is None else json.dumps(condition, ensure_ascii=False)
            return {"expression": text}
