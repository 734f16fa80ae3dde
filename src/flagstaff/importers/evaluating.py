"""What do flags of ours answer, chance included?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from flagstaff.errors import FlagstaffError
from flagstaff.flags.actor import Actor, attributes_of
from flagstaff.flags.compile import CompiledFlag, compile_snapshot
from flagstaff.flags.expression import asks
from flagstaff.flags.flag import Flag
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.surroundings import Group, Surroundings
from flagstaff.importers.hashing import murmur3
from flagstaff.importers.model import Answer

_FINE = 1e-5
"""How finely the part that chance has is measured."""

GROUPS = "groups"
"""The attribute that lists the groups of an actor."""


class Evaluating:
    """All flags of one environment, ready to be asked."""

    def __init__(self, flags: Mapping[str, Flag]) -> None:
        self._drawn = 0.0
        names = frozenset(
            name for flag in flags.values() if flag.gates for name in flag.gates.groups
        )
        surroundings = Surroundings(
            counter=lambda _flag, _value, _gate: int,
            groups={name: _belonging(name) for name in names},
            draw=lambda: self._drawn,
            murmur3=murmur3,
            clock=lambda: datetime.now(UTC),
        )
        self._flags = compile_snapshot(Snapshot(environment="", flags=flags), surroundings).flags
        self._chance = {name for name, flag in flags.items() if _has_chance(flag)}

    def of(self, name: str) -> Answer:
        """Return what answers for a flag; nothing but "off" if there is none."""
        found = self._flags.get(name)
        if found is None:
            return lambda _actor: 0
        if not self._may_draw(name, set()):
            return lambda actor: _asked(found, actor)
        return self._drawing(found)

    def _drawing(self, found: CompiledFlag) -> Answer:
        def at(drawn: float, actor: Actor) -> bool:
            self._drawn = drawn
            return _asked(found, actor)

        def answer(actor: Actor) -> float:
            low, high = 0.0, 1 - _FINE
            first = at(low, actor)
            if first is at(high, actor):
                return first
            # All comparisons with a drawn number are "below", so the answer changes once.
            while high - low > _FINE:
                middle = (low + high) / 2
                low, high = (middle, high) if at(middle, actor) is first else (low, middle)
            return round(high if first else 1 - high, 4)

        return answer

    def _may_draw(self, name: str, seen: set[str]) -> bool:
        """Return whether the flag, or one that it asks, leaves something to chance."""
        if name in self._chance:
            return True
        if name in seen or name not in self._flags:
            return False
        seen.add(name)
        flag = self._flags[name].flag
        return any(self._may_draw(each, seen) for each in _needed(flag))


def _needed(flag: Flag) -> set[str]:
    found = {name for name, _ in flag.prerequisites}
    if flag.gates and flag.gates.expression:
        found |= asks(flag.gates.expression)
    return found


def _asked(found: CompiledFlag, actor: Actor) -> bool:
    try:
        return found.value(found.decide((actor,)))
    except FlagstaffError:
        return False


def _has_chance(flag: Flag) -> bool:
    gates = flag.gates
    return gates is not None and bool(
        gates.percentage_of_time
        or (gates.expression and '"Random"' in json.dumps(gates.expression))
    )


def _belonging(name: str) -> Group:
    def belongs(actor: object) -> bool:
        listed = attributes_of(actor).get(GROUPS)
        return isinstance(listed, list | tuple | set | frozenset) and name in listed

    return belongs
