"""Which commands make a flag's gates those of an export?"""

from __future__ import annotations

from collections.abc import Iterator

from flagstaff.flags.change import (
    Actors,
    Boolean,
    Expression,
    GateChange,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)
from flagstaff.flags.gates import Gates


def changes_between(before: Gates | None, after: Gates) -> list[GateChange]:
    """Return the changes that lead from `before` to `after`, none where nothing differs."""
    if before == after:
        return []
    found = list(_changes(before, after))
    gates = before or Gates()
    for each in found:
        gates = each.apply(gates)
    # What single changes cannot reach from there begins anew, as a share beside "on for everyone".
    if gates == after:
        return found
    return [Boolean(value=after.boolean), *_changes(Gates(boolean=after.boolean), after)]


def _changes(before: Gates | None, after: Gates) -> Iterator[GateChange]:
    if before is None or before.boolean != after.boolean:
        yield Boolean(value=after.boolean)
        before = Gates(boolean=after.boolean)
    if before.expression != after.expression:
        yield Expression(value=after.expression)
    # Percentages first: they would close the boolean gate, which members do not.
    if before.percentage_of_actors != after.percentage_of_actors:
        yield PercentageOfActors(value=after.percentage_of_actors)
    if before.percentage_of_time != after.percentage_of_time:
        yield PercentageOfTime(value=after.percentage_of_time)
    if gone := before.actors - after.actors:
        yield Actors(ids=tuple(sorted(gone)), value=False)
    if new := after.actors - before.actors:
        yield Actors(ids=tuple(sorted(new)), value=True)
    if gone := before.groups - after.groups:
        yield Groups(names=tuple(sorted(gone)), value=False)
    if new := after.groups - before.groups:
        yield Groups(names=tuple(sorted(new)), value=True)
