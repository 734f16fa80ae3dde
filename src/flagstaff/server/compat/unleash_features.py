"""How does a flag look to a client of Unleash, which evaluates it by itself?

What Unleash has no word for becomes a strategy of ours. A client that was not given that strategy
answers "off" for it and leaves the others as they are; `docs/decisions/0020-unleash-bucketing.md`
says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates, State
from flagstaff.flags.percentage import HUNDRED, format_percentage
from flagstaff.server.compat.unleash_expressions import alternatives

ACTORS = "flagstaffActors"
FLAGD_ACTORS = "flagstaffFlagdActors"
GROUPS = "flagstaffGroups"
EXPRESSION = "flagstaffExpression"

Strategy = dict[str, object]

_NOTES = {
    ACTORS: "its share of actors is picked by crc32",
    FLAGD_ACTORS: "its share of actors is picked as flagd does",
    GROUPS: "it has groups",
    EXPRESSION: "it has an expression beyond comparing texts",
}
_TYPES = {"ops": "operational", "experiment": "experiment", "licensed": "permission"}


def feature_json(flag: Flag, flags: Mapping[str, Flag]) -> dict[str, object]:
    """Return the flag for a client; `flags` are all of its environment."""
    strategies = strategies_of(flag)
    notes = [
        f"{_NOTES[name]}: clients without the strategy {name} answer off there"
        for name in _NOTES
        if any(each["name"] == name for each in strategies)
    ]
    if flag.variants:
        notes.append("its variants are served by the frontend API only")
    if unclear := _unclear(flag, flags):
        notes.append(f"{unclear}, which clients cannot follow: off")
    feature: dict[str, object] = {
        "name": flag.name,
        "type": _TYPES.get(flag.type, "release"),
        "description": "; ".join(notes),
        "project": "default",
        "enabled": bool(strategies) and flag.state is not State.OFF and not unclear,
        "stale": False,
        "impressionData": False,
        "strategies": strategies,
        "variants": [],
    }
    if flag.prerequisites:
        feature["dependencies"] = [
            {"feature": name, "enabled": wanted} for name, wanted in flag.prerequisites
        ]
    return feature


def _unclear(flag: Flag, flags: Mapping[str, Flag]) -> str:
    """Return what about the prerequisites a client would get wrong, or an empty text."""
    for name, wanted in flag.prerequisites:
        if name not in flags:
            return f"its prerequisite {name} is not defined"
        if flags[name].prerequisites:
            return f"its prerequisite {name} has prerequisites itself"
        # A client that lacks a strategy takes the flag for off, and would open this one.
        if not wanted and any(each["name"] in _NOTES for each in strategies_of(flags[name])):
            return f"its prerequisite {name} must be off and has a strategy of ours"
    return ""


def strategies_of(flag: Flag) -> list[Strategy]:
    """Return the strategies, any of which opens the flag; none means that nothing can."""
    if flag.gates is None:
        return [_strategy("default")]
    found = _opening(flag, flag.gates)
    if opted_out := flag.gates.opted_out:
        but = {"contextName": "userId", "operator": "NOT_IN", "values": sorted(opted_out)}
        for each in found:
            each["constraints"] = [*_constraints(each), but]
    return found


def _opening(flag: Flag, gates: Gates) -> list[Strategy]:
    found: list[Strategy] = []
    if gates.boolean or gates.percentage_of_time == HUNDRED:
        found.append(_strategy("default"))
    if gates.expression:
        found += _expression(gates.expression)
    if gates.members:
        found.append(_members(gates.members))
    if gates.percentage_of_actors:
        found += _share_of_actors(flag, gates.percentage_of_actors)
    if 1 <= gates.percentage_of_time < HUNDRED:
        share = _hundredths(gates.percentage_of_time)
        found.append(_strategy("gradualRolloutRandom", percentage=share, groupId=flag.name))
    if gates.groups:
        found.append(_strategy(GROUPS, groups=json.dumps(sorted(gates.groups))))
    return found


def _expression(expression: Mapping[str, object]) -> list[Strategy]:
    listed = alternatives(expression)
    if listed is None:
        return [_strategy(EXPRESSION, expression=json.dumps(dict(expression)))]
    return [_strategy("default") | {"constraints": list(each)} for each in listed]


def _members(members: frozenset[str]) -> Strategy:
    if not any("," in each for each in members):
        return _strategy("userWithId", userIds=",".join(sorted(members)))
    strategy = _strategy("default")
    only = {"contextName": "userId", "operator": "IN", "values": sorted(members)}
    strategy["constraints"] = [only]
    return strategy


def _share_of_actors(flag: Flag, share: Decimal) -> list[Strategy]:
    if share < HUNDRED and flag.bucketing is not Bucketing.MURMUR3:
        name = ACTORS if flag.bucketing is Bucketing.CRC32 else FLAGD_ACTORS
        return [_strategy(name, percentage=format_percentage(share), groupId=flag.name)]
    if share < 1:  # Unleash counts in hundredths, and so does our murmur3
        return []
    rollout = _hundredths(share)
    return [_strategy("flexibleRollout", rollout=rollout, stickiness="userId", groupId=flag.name)]


def _hundredths(share: Decimal) -> str:
    return str(int(share))


def _constraints(strategy: Strategy) -> list[object]:
    found = strategy.get("constraints", [])
    return found if isinstance(found, list) else []


def _strategy(name: str, **parameters: str) -> Strategy:
    return {"name": name, "parameters": parameters}
