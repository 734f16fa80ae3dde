"""When is each gate open?"""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

from flagstaff.flags.actor import attributes_of
from flagstaff.flags.bucketing import BUCKETS, Bucketing, combined, seed, threshold
from flagstaff.flags.evaluation import Gate
from flagstaff.flags.expression import Setting, compile_expression, truth
from flagstaff.flags.flag import Flag
from flagstaff.flags.fractional import flagd_bucket
from flagstaff.flags.gates import Gates
from flagstaff.flags.murmur import normalized
from flagstaff.flags.surroundings import Surroundings

Opens = Callable[[tuple[str, ...], tuple[object, ...]], bool]
"""Says whether a gate is open, from the ids and the actors themselves."""


def opening_steps(flag: Flag, gates: Gates, setting: Setting) -> list[tuple[Gate, Opens]]:
    """Return the gates that are set, in Flipper's order, each with when it is open.

    Raises:
        SnapshotError: the expression is malformed.
    """
    around = setting.surroundings
    steps: list[tuple[Gate, Opens]] = []
    if gates.boolean:
        steps.append((Gate.BOOLEAN, lambda _ids, _actors: True))
    if gates.expression:
        steps.append((Gate.EXPRESSION, _expression(gates, setting)))
    if members := gates.members:
        steps.append((Gate.ACTORS, lambda ids, _actors: not members.isdisjoint(ids)))
    if gates.percentage_of_actors:
        steps.append((Gate.PERCENTAGE_OF_ACTORS, _share_of_actors(flag, gates, around)))
    if gates.percentage_of_time:
        share, draw = float(gates.percentage_of_time) / 100, around.draw
        steps.append((Gate.PERCENTAGE_OF_TIME, lambda _ids, _actors: draw() < share))
    if gates.groups:
        steps.append((Gate.GROUPS, _groups(gates, around)))
    return steps


def _expression(gates: Gates, setting: Setting) -> Opens:
    program = compile_expression(gates.expression, setting)

    def opens(_ids: tuple[str, ...], actors: tuple[object, ...]) -> bool:
        if len(actors) == 1:
            return truth(program(attributes_of(actors[0]), actors[0]))
        if not actors:
            return truth(program({}, None))
        return any(truth(program(attributes_of(actor), actor)) for actor in actors)

    return opens


def _share_of_actors(flag: Flag, gates: Gates, around: Surroundings) -> Opens:
    name, hashing = flag.name, around.murmur3
    match flag.bucketing:
        case Bucketing.CRC32:
            return _percentage_of_actors(gates, name)
        case Bucketing.MURMUR3:
            share = gates.percentage_of_actors
            return lambda ids, _actors: (
                bool(ids) and (normalized(name, combined(ids), hashing) <= share)
            )
        case Bucketing.FLAGD:
            limit = threshold(gates.percentage_of_actors)
            return lambda ids, _actors: (
                bool(ids) and (flagd_bucket(name, combined(ids), hashing) < limit)
            )


def _percentage_of_actors(gates: Gates, name: str) -> Opens:
    start, limit = seed(name), threshold(gates.percentage_of_actors)

    def opens(ids: tuple[str, ...], _actors: tuple[object, ...]) -> bool:
        if len(ids) == 1:
            return crc32(ids[0].encode(), start) % BUCKETS < limit
        return bool(ids) and crc32(combined(ids).encode(), start) % BUCKETS < limit

    return opens


def _groups(gates: Gates, around: Surroundings) -> Opens:
    names, registered = sorted(gates.groups), around.groups

    def opens(_ids: tuple[str, ...], actors: tuple[object, ...]) -> bool:
        belongs = [registered[name] for name in names if name in registered]
        return any(group(actor) for group in belongs for actor in actors)

    return opens
