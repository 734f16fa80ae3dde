"""What does a condition written as JSON say about an actor?

The operators and their meaning are Flipper's. An expression is an object with one operator and its
arguments, `{"Equal": [{"Property": ["plan"]}, "gold"]}`; arguments are expressions, texts, numbers,
true and false. Only false and "nothing" count as false: 0 and the empty text are true.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flagstaff.errors import SnapshotError, UsageError
from flagstaff.flags import operators
from flagstaff.flags.actor import actor_id
from flagstaff.flags.bucketing import BUCKETS, bucket
from flagstaff.flags.surroundings import Surroundings

Program = Callable[[Mapping[str, object], object], object]
"""Answers from an actor's attributes and the actor itself (None: nobody)."""

MAX_DEPTH = 50
_IDS = frozenset({"flag_id", "flipper_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an expression is compiled in: its flag, the process, and how to ask another flag."""

    flag: str
    surroundings: Surroundings
    enabled: Callable[[str, tuple[object, ...]], bool]


@dataclass(frozen=True, slots=True)
class _Part:
    program: Program
    constant: bool = False
    key: str | None = None
    """The attribute that is all the part looks at."""


def compile_expression(data: object, setting: Setting) -> Program:
    """Return the expression as a function that is quick to ask.

    Raises:
        SnapshotError: an operator is unknown, or its arguments are wrong.
    """
    return _compile(data, setting, 0).program


def asks(data: object) -> frozenset[str]:
    """Return the names of the flags that the expression asks about."""
    return frozenset(_asked(data))


def check_expression(data: object) -> None:
    """Check an expression that somebody wants to store.

    Raises:
        UsageError: it is malformed, or has an empty `All` (open to everybody) or `Any` (to nobody),
            which is almost always a mistake.
    """
    _check_json(data)
    try:
        compile_expression(data, _NOWHERE)
    except SnapshotError as exc:
        raise UsageError(exc.message, hint=exc.hint) from exc
    if _has_empty_group(data):
        raise UsageError(
            "expression: an All or Any is empty",
            hint="an empty All is open to everybody, an empty Any to nobody: leave it out",
        )


def truth(value: object) -> bool:
    """Return whether `value` counts as true."""
    return value is not None and value is not False


def _compile(data: object, setting: Setting, depth: int) -> _Part:
    if isinstance(data, str | int | float):
        return _Part(lambda _attributes, _actor: data, constant=True)
    if not isinstance(data, Mapping) or len(data) != 1 or depth > MAX_DEPTH:
        raise SnapshotError(
            f"expression: {str(data)[:60]} is not one operator with its arguments",
            hint='write for example {"Equal": [{"Property": ["plan"]}, "gold"]}',
        )
    ((name, found),) = data.items()
    listed = found if isinstance(found, list) else [] if found is None else [found]
    parts = [_compile(each, setting, depth + 1) for each in listed]
    if name in _SPECIAL:
        _check_count(name, _SPECIAL_COUNT[name], len(parts))
        return _SPECIAL[name]([part.program for part in parts], setting)
    if name not in operators.PURE:
        raise SnapshotError(
            f"expression: {name!r} is not an operator of this version",
            hint=f"operators are {', '.join(sorted([*operators.PURE, *_SPECIAL]))}",
        )
    _check_count(name, operators.PURE[name].count, len(parts))
    return _apply(name, parts)


def _apply(name: str, parts: list[_Part]) -> _Part:
    function = operators.PURE[name].function
    programs = [part.program for part in parts]
    short = _comparing_one_attribute(name, parts)
    if short is not None:
        return _Part(short)
    match programs:
        case [only]:
            program: Program = lambda attributes, actor: function(only(attributes, actor))  # noqa: E731
        case [left, right]:
            program = lambda attributes, actor: function(  # noqa: E731
                left(attributes, actor), right(attributes, actor)
            )
        case _:
            raise AssertionError(name)
    if all(part.constant for part in parts):
        value = program({}, None)
        return _Part(lambda _attributes, _actor: value, constant=True)
    return _Part(program)


def _comparing_one_attribute(name: str, parts: list[_Part]) -> Program | None:
    """Return a shorter function for the commonest comparison, of an attribute with a constant."""
    if len(parts) != 2 or parts[0].key is None or not parts[1].constant:  # noqa: PLR2004 - a pair
        return None
    key, value, function = parts[0].key, parts[1].program({}, None), operators.PURE[name].function
    if name == "Equal" and isinstance(value, str):
        return lambda attributes, _actor: attributes.get(key) == value
    return lambda attributes, _actor: function(attributes.get(key), value)


def _all(programs: list[Program], _setting: Setting) -> _Part:
    def program(attributes: Mapping[str, object], actor: object) -> bool:
        for each in programs:
            value = each(attributes, actor)
            if value is None or value is False:
                return False
        return True

    return _Part(program)


def _any(programs: list[Program], _setting: Setting) -> _Part:
    def program(attributes: Mapping[str, object], actor: object) -> bool:
        for each in programs:
            value = each(attributes, actor)
            if value is not None and value is not False:
                return True
        return False

    return _Part(program)


def _property(programs: list[Program], _setting: Setting) -> _Part:
    key = programs[0]({}, None)
    if not isinstance(key, str):
        raise SnapshotError("expression: the name of a Property is not a text")

    def program(attributes: Mapping[str, object], _actor: object) -> object:
        return attributes.get(key)

    def identity(_attributes: Mapping[str, object], actor: object) -> object:
        return None if actor is None else actor_id(actor)

    return _Part(identity) if key in _IDS else _Part(program, key=key)


def _percentage_of_actors(programs: list[Program], setting: Setting) -> _Part:
    text, percentage = programs

    def program(attributes: Mapping[str, object], actor: object) -> bool:
        share = operators.number(percentage(attributes, actor))
        fallen = bucket(setting.flag, operators.text(text(attributes, actor)))
        return fallen < share * (BUCKETS // 100)

    return _Part(program)


def _feature_enabled(programs: list[Program], setting: Setting) -> _Part:
    named, enabled = programs[0], setting.enabled

    def program(attributes: Mapping[str, object], actor: object) -> bool:
        name = operators.text(named(attributes, actor))
        return enabled(name, () if actor is None else (actor,))

    return _Part(program)


def _now(_programs: list[Program], setting: Setting) -> _Part:
    clock = setting.surroundings.clock
    return _Part(lambda _attributes, _actor: clock())


def _random(programs: list[Program], setting: Setting) -> _Part:
    draw = setting.surroundings.draw

    def program(attributes: Mapping[str, object], actor: object) -> float:
        limit = operators.number(programs[0](attributes, actor)) if programs else 0
        return int(draw() * limit) if limit else draw()

    return _Part(program)


def _check_count(name: str, allowed: range, found: int) -> None:
    if found not in allowed:
        wanted = " or ".join(str(each) for each in allowed)
        raise SnapshotError(f"expression: {name} takes {wanted} arguments, not {found}")


def _check_json(data: object) -> None:
    # Half a character or a number that is none would be stored, and could never be sent.
    try:
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        raise UsageError(
            "expression: it holds something that JSON cannot hold",
            hint="write texts, plain numbers, true, false, lists and objects",
        ) from exc


def _has_empty_group(data: object) -> bool:
    if not isinstance(data, Mapping):
        return False
    ((name, found),) = data.items()
    listed = found if isinstance(found, list) else [] if found is None else [found]
    return (name in {"All", "Any"} and not listed) or any(map(_has_empty_group, listed))


def _asked(data: object) -> Iterator[str]:
    if isinstance(data, Mapping):
        for name, found in data.items():
            listed = found if isinstance(found, list) else [found]
            if name == "FeatureEnabled":
                yield from (str(each) for each in listed)
            for each in listed:
                yield from _asked(each)


_SPECIAL: dict[str, Callable[[list[Program], Setting], _Part]] = {
    "All": _all,
    "Any": _any,
    "FeatureEnabled": _feature_enabled,
    "Now": _now,
    "PercentageOfActors": _percentage_of_actors,
    "Property": _property,
    "Random": _random,
}
_SPECIAL_COUNT = {
    "All": range(1_000),
    "Any": range(1_000),
    "FeatureEnabled": range(1, 2),
    "Now": range(1),
    "PercentageOfActors": range(2, 3),
    "Property": range(1, 2),
    "Random": range(2),
}
_NOWHERE = Setting(
    flag="",
    surroundings=Surroundings(
        counter=lambda _flag, _value, _gate: int,
        groups={},
        draw=float,
        murmur3=len,
        clock=lambda: datetime.now(UTC),
    ),
    enabled=lambda _name, _actors: False,
)
