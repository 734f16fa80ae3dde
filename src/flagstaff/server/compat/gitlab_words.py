"""What do the parameters of GitLab's Features API ask for?"""

from __future__ import annotations

import re
from collections.abc import Mapping

from flagstaff.errors import UsageError
from flagstaff.flags.actor import check_actor_id, opt_out_marker
from flagstaff.flags.change import (
    Actors,
    Boolean,
    GateChange,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)
from flagstaff.flags.gates import Gates
from flagstaff.flags.percentage import parse_percentage

KINDS = {
    "user": "User",
    "group": "Group",
    "namespace": "Namespace",
    "project": "Project",
    "repository": "Repository",
    "organization": "Organizations::Organization",
    "runner": "Ci::Runner",
    "endpoint": "Endpoint",
}
KEYS = ("percentage_of_actors", "percentage_of_time")
TARGETS = ("feature_group", *KINDS)
ON = frozenset({"true", "100", "100.0"})
OFF = frozenset({"false", "0", "0.0"})
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class Invalid(Exception):
    """The parameters do not go together; the text is GitLab's."""


def check_parameters(parameters: Mapping[str, str]) -> None:
    """Refuse parameters that are missing, unknown or exclude each other.

    Raises:
        Invalid: with everything that is wrong.
    """
    wrong = [] if "value" in parameters else ["value is missing"]
    if "key" in parameters:
        if parameters["key"] not in KEYS:
            wrong.append("key does not have a valid value")
        wrong += [f"key, {each} are mutually exclusive" for each in TARGETS if each in parameters]
    if wrong:
        raise Invalid(", ".join(wrong))


def changes(name: str, parameters: Mapping[str, str], gates: Gates | None) -> list[GateChange]:
    """Return what the parameters change about the flag `name`, whose gates now are `gates`.

    Raises:
        UsageError: the value does not go with the rest.
    """
    value, group = parameters["value"], parameters.get("feature_group", "")
    actors = tuple(
        dict.fromkeys(
            _actor(kind, each)
            for option, kind in KINDS.items()
            for each in _split(parameters.get(option, ""))
        )
    )
    if actors or group:
        return _targeted(name, value, _Targets(actors, group, gates or Gates()))
    return [_global(name, value, parameters.get("key"))]


class _Targets:
    def __init__(self, actors: tuple[str, ...], group: str, gates: Gates) -> None:
        self.actors = actors
        self.group = group
        self.gates = gates

    def switched(self, *, on: bool) -> list[GateChange]:
        found: list[GateChange] = []
        if self.actors:
            found.append(Actors(ids=self.actors, value=on))
        if self.group:
            found.append(Groups(names=(self.group,), value=on))
        return found

    def opted_out(self, *, out: bool) -> list[GateChange]:
        return [Actors(ids=tuple(opt_out_marker(each) for each in self.actors), value=out)]

    def __str__(self) -> str:
        return ", ".join([*self.actors, *([self.group] if self.group else [])])


def _targeted(name: str, value: str, targets: _Targets) -> list[GateChange]:
    opted_out = targets.gates.opted_out
    if value in ON:
        for actor in targets.actors:
            if actor in opted_out:
                raise UsageError(f"Opt-out exists for {actor} - remove opt-out before enabling")
        return targets.switched(on=True)
    if value in OFF:
        return targets.switched(on=False)
    if value == "opt_out" and not targets.group:
        return targets.opted_out(out=True)
    if value == "remove_opt_out" and not targets.group:
        for actor in targets.actors:
            if actor not in opted_out:
                raise UsageError(f"No opt-out exists for {actor}")
        return targets.opted_out(out=False)
    raise UsageError(f"Cannot set '{name}' to \"{value}\" for {targets}")


def _global(name: str, value: str, key: str | None) -> GateChange:
    # As in GitLab, 0 and 100 are "off" and "on" for everyone, whatever the key says.
    if value in ON | OFF:
        return Boolean(value=value in ON)
    if not _NUMBER.fullmatch(value):
        named = f' ("{key}")' if key else ""
        raise UsageError(f"Cannot set '{name}'{named} to \"{value}\"")
    percentage = parse_percentage(value)
    if key == "percentage_of_actors":
        return PercentageOfActors(value=percentage)
    return PercentageOfTime(value=percentage)


def _split(names: str) -> list[str]:
    return [each.strip() for each in names.split(",") if each.strip()]


def _actor(kind: str, name: str) -> str:
    bare = name.removeprefix("@")
    return check_actor_id(bare if bare.startswith(f"{kind}:") else f"{kind}:{bare}")
