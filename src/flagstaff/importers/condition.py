"""For whom is a flag on, in a form that both another system's rules and our gates fit into?

What cannot be said here is `UNKNOWN`. `at_least` takes it for whatever keeps the flag closed, so
that nobody gets a flag whom the other system would have refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from flagstaff.flags.bucketing import Bucketing

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Fixed:
    """For everybody, or for nobody."""

    value: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """For somebody, but nothing of ours can say for whom."""


@dataclass(frozen=True, slots=True)
class Test:
    """For those of whom an expression holds; it answers true or false, nothing else."""

    expression: Json = field(hash=False)


@dataclass(frozen=True, slots=True)
class Members:
    """For actors that are listed."""

    ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """For a stable share of actors.

    Attributes:
        percentage: 0 to 100.
        by: the attribute that picks them; None: the actor's id.
        bucketing: the way of ours that picks the same actors; None if none does.
        group: the text that is hashed with the id.
    """

    percentage: Decimal
    by: str | None = None
    bucketing: Bucketing | None = None
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """For a share of checks, each of which draws again."""

    percentage: Decimal


@dataclass(frozen=True, slots=True)
class AllOf:
    """For those who meet all parts."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """For those who meet one part."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """For all others."""

    part: Condition


Condition = Fixed | Unknown | Test | Members | Share | Drawn | AllOf | AnyOf | Not

EVERYBODY, NOBODY, UNKNOWN = Fixed(value=True), Fixed(value=False), Unknown()


def all_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that all parts make, as short as it can be said."""
    found = list(_flat(parts, AllOf))
    if NOBODY in found:
        return NOBODY
    found = [each for each in found if each != EVERYBODY]
    return found[0] if len(found) == 1 else AllOf(tuple(found)) if found else EVERYBODY


def any_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that one of the parts makes, as short as it can be said."""
    found = list(_flat(parts, AnyOf))
    if EVERYBODY in found:
        return EVERYBODY
    found = [each for each in found if each != NOBODY]
    members = [each for each in found if isinstance(each, Members)]
    if len(members) > 1:
        ids = frozenset(one for each in members for one in each.ids)
        found = [Members(ids), *(each for each in found if not isinstance(each, Members))]
    return found[0] if len(found) == 1 else AnyOf(tuple(found)) if found else NOBODY


def negated(part: Condition) -> Condition:
    """Return the condition of all others."""
    match part:
        case Fixed(value=value):
            return Fixed(value=not value)
        case Not(part=inner):
            return inner
        case Unknown():
            return part
        case _:
            return Not(part)


def first_match(rules: Iterable[tuple[Condition, bool]], *, otherwise: bool) -> Condition:
    """Return for whom a list of rules is on, the first of which that fits an actor decides."""
    found: Condition = Fixed(value=otherwise)
    for condition, opens in reversed(list(rules)):
        found = any_of((condition, found)) if opens else all_of((negated(condition), found))
    return found


def at_least(condition: Condition) -> Condition:
    """Return the condition for those of whom it certainly holds."""
    return _bound(condition, unknown=NOBODY)


def parts_of(condition: Condition) -> Iterable[Condition]:
    """Return the condition and all that it is made of."""
    yield condition
    match condition:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for each in parts:
                yield from parts_of(each)
        case Not(part=part):
            yield from parts_of(part)


def _bound(condition: Condition, *, unknown: Fixed) -> Condition:
    match condition:
        case Unknown():
            return unknown
        case AllOf(parts=parts):
            return all_of([_bound(each, unknown=unknown) for each in parts])
        case AnyOf(parts=parts):
            return any_of([_bound(each, unknown=unknown) for each in parts])
        case Not(part=part):
            return negated(_bound(part, unknown=Fixed(value=not unknown.value)))
        case _:
            return condition


def _flat(parts: Iterable[Condition], kind: type[AllOf | AnyOf]) -> Iterable[Condition]:
    """Return the parts and those of parts of the same kind, none twice in a row."""
    last: Condition | None = None
    for each in parts:
        listed: tuple[Condition, ...] = (each,)
        if isinstance(each, AllOf | AnyOf) and isinstance(each, kind):
            listed = each.parts
        for one in listed:
            if one != last or isinstance(one, Drawn):
                yield one
            last = one


Lose = Callable[[str, str], Condition]
"""Notes that something is lost (place, why) and returns what stands for it: `UNKNOWN`."""
