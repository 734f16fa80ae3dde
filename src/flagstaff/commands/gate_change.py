"""Which change do a value, a modifier and a scope ask for?"""

from __future__ import annotations

from flagstaff.commands.scopes import Scopes
from flagstaff.errors import UsageError
from flagstaff.flags.change import (
    Actors,
    Boolean,
    GateChange,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)
from flagstaff.flags.percentage import parse_percentage
from flagstaff.flags.switches import switch_of

_PLACE = "`feature set`: "
_SWITCHES = {"true": True, "false": False, "100": True, "0": False}
_NEAR = {"on": "true", "yes": "true", "enable": "true", "off": "false", "no": "false"}


def flag_name(text: str, *, place: str) -> str:
    """Return `text` if it can be the name of a flag.

    Raises:
        UsageError: it cannot.
    """
    # Loads YAML, which help and most mistakes in the words need not wait for.
    from flagstaff.definitions.flag_types import WORKER, is_flag_name  # noqa: PLC0415

    name = text.strip().strip("`")
    if not is_flag_name(name, type_name=WORKER) and switch_of(name) is None:
        raise UsageError(
            f"`{place}`: {name[:60]!r} is no name of a flag",
            hint="write small letters, digits and underscores, such as new_navigation",
        )
    return name


def gate_change(
    value: str, *, of_actors: bool = False, of_time: bool = False, scopes: Scopes
) -> GateChange:
    """Return the change; a bare `100` is `true` and a bare `0` is `false`, as GitLab reads them.

    Raises:
        UsageError: the value is neither true, false nor a percentage, or the options contradict
            each other.
    """
    modifier = "--actors" if of_actors else "--random"
    if of_actors and of_time:
        raise UsageError(
            f"{_PLACE}`--actors` and `--random` contradict each other",
            hint="`--actors` keeps an actor's answer, `--random` draws at every check: choose one",
        )
    if scopes and (of_actors or of_time):
        raise UsageError(
            f"{_PLACE}`{modifier}` is a share of everyone, and cannot be combined with a scope",
            hint=f"leave out `{modifier}` and write true or false, or leave out the scope",
        )
    if of_actors or of_time:
        return _percentage(value, modifier)
    switch = _SWITCHES.get(value.lower())
    if switch is None:
        raise _no_switch(value, scopes)
    return _scoped(scopes, value=switch)


def _percentage(value: str, modifier: str) -> GateChange:
    if value.lower() in {"true", "false"}:
        raise UsageError(
            f"{_PLACE}`{modifier}` needs a percentage, not `{value}`",
            hint=f"write `25 {modifier}`, or `{value.lower()}` alone",
        )
    try:
        share = parse_percentage(value)
    except UsageError as wrong:
        raise UsageError(_PLACE + wrong.message, hint=wrong.hint) from wrong
    if modifier == "--actors":
        return PercentageOfActors(value=share)
    return PercentageOfTime(value=share)


def _scoped(scopes: Scopes, *, value: bool) -> GateChange:
    if scopes.actors and scopes.groups:
        raise UsageError(
            f"{_PLACE}one command changes actors or groups, not both",
            hint="write one command with `--feature-group` and another for the actors",
        )
    if scopes.actors:
        return Actors(ids=scopes.actors, value=value)
    if scopes.groups:
        return Groups(names=scopes.groups, value=value)
    return Boolean(value=value)


def _no_switch(value: str, scopes: Scopes) -> UsageError:
    if near := _NEAR.get(value.lower()):
        return UsageError(f"{_PLACE}the value {value!r} is unknown", hint=f"write `{near}`")
    if not any(sign.isdigit() for sign in value):
        return UsageError(
            f"{_PLACE}the value {value[:60]!r} is unknown",
            hint="write true, false, or a percentage with `--actors` or `--random`",
        )
    try:
        parse_percentage(value)
    except UsageError as wrong:
        return UsageError(_PLACE + wrong.message, hint=wrong.hint)
    if scopes:
        return UsageError(
            f"{_PLACE}a scope is on or off, not {value} percent",
            hint="write true or false for single actors, or leave out the scope",
        )
    return UsageError(
        f"{_PLACE}{value} percent of what?",
        hint=f"write `{value} --actors`, or `{value} --random` for a share of all checks",
    )
