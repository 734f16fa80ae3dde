"""What does evaluating a flag take from the process around it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flagstaff.flags.evaluation import Gate

Hit = Callable[[], object]
"""Counts one answer."""

Counter = Callable[[str, bool, Gate], Hit]
"""Returns what counts the answers with this flag, value and gate; the same for the same three."""

Group = Callable[[object], bool]
"""Says whether an actor, as the application passed it, belongs to a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The counters, groups, chance and clock that compiled flags use.

    Attributes:
        counter: makes what counts answers.
        groups: the groups that the application registered; may grow later.
        murmur3: the 32-bit hash with seed 0, unsigned; a faster one than ours if there is one.
        draw: a number from 0 up to, not including, 1.
        clock: the time now, aware.
    """

    counter: Counter
    groups: Mapping[str, Group]
    draw: Callable[[], float]
    murmur3: Callable[[bytes], int]
    clock: Callable[[], datetime]
