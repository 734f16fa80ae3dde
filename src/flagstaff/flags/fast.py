"""Which flags can be answered by a shorter function than the general one?

Most flags are on, off, a list of actors or a share of them, asked about one id.
"""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

from flagstaff.flags.actor import Actor
from flagstaff.flags.bucketing import BUCKETS, Bucketing, seed, threshold
from flagstaff.flags.evaluation import SHUT, Gate
from flagstaff.flags.expression import Setting, asks, compile_expression
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates, State
from flagstaff.flags.nesting import Decide
from flagstaff.flags.surroundings import Counter, Hit

Check = Callable[[tuple[object, ...]], bool]
"""Answers for the actors of one question, and counts the answer."""


def fast_check(flag: Flag, decide: Decide, setting: Setting) -> Check | None:
    """Return the shorter function for `flag`, or None if it has no common shape.

    Args:
        flag: the flag.
        decide: the general function, for actors that are not one plain id or `Actor`.
        setting: what the flag is compiled in.

    Raises:
        SnapshotError: its expression is malformed.
    """
    gates, name, counter = flag.gates, flag.name, setting.surroundings.counter
    if flag.prerequisites or flag.bucketing is not Bucketing.CRC32:
        return None
    if gates is None:
        return _constant(flag.default, counter(name, flag.default, Gate.DEFAULT))
    if gates.state is State.OFF:
        return _constant(False, counter(name, False, Gate.NONE))
    if is_plainly_on(gates):
        return _constant(True, counter(name, True, Gate.BOOLEAN))
    if gates.opted_out or gates.groups or gates.percentage_of_time or gates.boolean:
        return None
    match (bool(gates.expression), bool(gates.actors), bool(gates.percentage_of_actors)):
        case (False, True, False):
            return _actors(flag, gates, decide, counter)
        case (False, False, True):
            return _percentage(flag, gates, decide, counter)
        case (True, False, _) if not asks(gates.expression):
            return _rule_and_percentage(flag, gates, decide, setting)
    return None


def is_plainly_on(gates: Gates) -> bool:
    """Return whether everybody gets the flag and nobody is opted out."""
    return gates.boolean and not gates.opted_out


def _constant(value: bool, hit: Hit) -> Check:  # noqa: FBT001 - it is the answer
    def check(_actors: tuple[object, ...]) -> bool:
        hit()
        return value

    return check


def _actors(flag: Flag, gates: Gates, decide: Decide, counter: Counter) -> Check:
    members, hits = gates.members, _hits(flag, Gate.ACTORS, counter)
    opened, closed = hits[Gate.ACTORS], hits[Gate.NONE]

    def check(actors: tuple[object, ...]) -> bool:
        if len(actors) == 1:
            only = actors[0]
            if only.__class__ is Actor:
                only = only.flag_id
            if only.__class__ is str:
                if only in members:
                    opened()
                    return True
                closed()
                return False
        return _counted(decide(actors), hits)

    return check


def _percentage(flag: Flag, gates: Gates, decide: Decide, counter: Counter) -> Check:
    hits = _hits(flag, Gate.PERCENTAGE_OF_ACTORS, counter)
    opened, closed = hits[Gate.PERCENTAGE_OF_ACTORS], hits[Gate.NONE]
    start, limit = seed(flag.name), threshold(gates.percentage_of_actors)

    def check(actors: tuple[object, ...]) -> bool:
        if len(actors) == 1:
            only = actors[0]
            if only.__class__ is Actor:
                only = only.flag_id
            if only.__class__ is str:
                if crc32(only.encode(), start) % BUCKETS < limit:
                    opened()
                    return True
                closed()
                return False
        return _counted(decide(actors), hits)

    return check


def _rule_and_percentage(flag: Flag, gates: Gates, decide: Decide, setting: Setting) -> Check:
    hits = _hits(flag, Gate.PERCENTAGE_OF_ACTORS, setting.surroundings.counter)
    hits[Gate.EXPRESSION] = setting.surroundings.counter(flag.name, True, Gate.EXPRESSION)
    program = compile_expression(gates.expression, setting)
    matched, closed = hits[Gate.EXPRESSION], hits[Gate.NONE]
    opened = hits[Gate.PERCENTAGE_OF_ACTORS]
    start, limit = seed(flag.name), threshold(gates.percentage_of_actors)

    def check(actors: tuple[object, ...]) -> bool:
        if len(actors) == 1 and (only := actors[0]).__class__ is Actor:
            found = program(only.flag_attributes, only)
            if found is not None and found is not False:
                matched()
                return True
            if crc32(only.flag_id.encode(), start) % BUCKETS < limit:
                opened()
                return True
            closed()
            return False
        return _counted(decide(actors), hits)

    return check


def _hits(flag: Flag, gate: Gate, counter: Counter) -> dict[Gate, Hit]:
    return {gate: counter(flag.name, True, gate), Gate.NONE: counter(flag.name, False, Gate.NONE)}


def _counted(gate: Gate, hits: dict[Gate, Hit]) -> bool:
    hits[gate]()
    return gate not in SHUT
