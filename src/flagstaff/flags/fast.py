"""Which flags can be answered by a shorter function than the general one?

Most flags are on, off, a list of actors or a share of them, asked about one id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

from flagstaff.flags.bucketing import BUCKETS, Bucketing, seed, threshold
from flagstaff.flags.evaluation import SHUT, Gate
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import ZERO, Gates, State
from flagstaff.flags.nesting import Decide
from flagstaff.flags.surroundings import Counter, Hit

Check = Callable[[tuple[object, ...]], bool]
"""Answers for the actors of one question, and counts the answer."""


def fast_check(flag: Flag, decide: Decide, counter: Counter) -> Check | None:
    """Return the shorter function for `flag`, or None if it has no common shape.

    Args:
        flag: the flag.
        decide: the general function, for actors that are not one plain id.
        counter: returns what counts the answers.
    """
    gates, name = flag.gates, flag.name
    if flag.prerequisites or flag.bucketing is not Bucketing.CRC32:
        return None
    if gates is None:
        return _constant(flag.default, counter(name, flag.default, Gate.DEFAULT))
    if gates.state is State.OFF:
        return _constant(False, counter(name, False, Gate.NONE))
    if is_plainly_on(gates):
        return _constant(True, counter(name, True, Gate.BOOLEAN))
    if gates.opted_out:
        return None
    if gates == Gates(actors=gates.actors):
        return _actors(flag, gates, decide, counter)
    if replace(gates, percentage_of_actors=ZERO) == Gates():
        return _percentage(flag, gates, decide, counter)
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
    opened, closed = hits

    def check(actors: tuple[object, ...]) -> bool:
        if len(actors) == 1 and (only := actors[0]).__class__ is str:
            if only in members:
                opened()
                return True
            closed()
            return False
        return _counted(decide(actors), hits)

    return check


def _percentage(flag: Flag, gates: Gates, decide: Decide, counter: Counter) -> Check:
    hits = _hits(flag, Gate.PERCENTAGE_OF_ACTORS, counter)
    opened, closed = hits
    start, limit = seed(flag.name), threshold(gates.percentage_of_actors)

    def check(actors: tuple[object, ...]) -> bool:
        if len(actors) == 1 and (only := actors[0]).__class__ is str:
            if crc32(only.encode(), start) % BUCKETS < limit:
                opened()
                return True
            closed()
            return False
        return _counted(decide(actors), hits)

    return check


def _hits(flag: Flag, gate: Gate, counter: Counter) -> tuple[Hit, Hit]:
    return counter(flag.name, True, gate), counter(flag.name, False, Gate.NONE)


def _counted(gate: Gate, hits: tuple[Hit, Hit]) -> bool:
    value = gate not in SHUT
    hits[0 if value else 1]()
    return value
