"""From how long on is what a guard counts slow?"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from flagstaff.definitions.fields import Fields
from flagstaff.definitions.problems import quote
from flagstaff.definitions.project import JobGuard
from flagstaff.errors import UsageError
from flagstaff.rollouts.evidence.message import length
from flagstaff.rollouts.evidence.standing import Response

KEY: Final = "slower_than"
MOST: Final = 8
"""Bounds of one guard; each is a guard of its own and takes its part of the weight."""

NEARLY_ALL: Final = 0.99
"""So many are slow is harm where nobody is left to compare with: half of all may well be."""

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_BOUND: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?([a-z]+)")
_LONGEST: Final = 86_400.0


def read_bounds(fields: Fields) -> tuple[float, ...]:
    """Return the durations in seconds above which something is slow; none for a guard on failures.

    What is wrong with them is noted.
    """
    bounds = fields.parsed_list(KEY, parse_bound) or ()
    if len(bounds) > MOST:
        fields.problems.error(
            f"{fields.label(KEY)} has {len(bounds)} bounds",
            line=fields.line(KEY),
            remedy=f"name {MOST} at most: three or four that people feel",
        )
    return tuple(dict.fromkeys(bounds))[:MOST]


def parse_bound(text: str) -> float:
    """Return a duration in seconds, such as that of `500ms` or `2.5s`.

    Raises:
        UsageError: it is none, or not between a thousandth of a second and a day.
    """
    found = _BOUND.fullmatch(text.strip().lower())
    unit = _UNITS.get(found[2]) if found else None
    seconds = float(found[1]) * unit if found and unit else 0.0
    if not min(_UNITS.values()) <= seconds <= _LONGEST:
        raise UsageError(
            f"{quote(text)} is no length of time", hint="write one such as 500ms, 2s or 1m"
        )
    return round(seconds, 6)


def one_for_each(guard: JobGuard, bounds: tuple[float, ...]) -> tuple[JobGuard, ...]:
    """Return a guard for each bound: together they have the weight of one.

    Job logs have every single duration. There one more compares these in pairs, with half of the
    weight; no wait asks it for safety, since it is blind to a few jobs that are much slower.
    """
    if not bounds:
        return (guard,)
    if guard.query is None:
        half = replace(guard, weight=guard.weight / 2)
        pairs = replace(
            half,
            name=f"{guard.name} in pairs",
            ranked=True,
            required=False,
            on_no_data=Response.HOLD,
            split=False,
        )
        return (*_over(half, bounds), pairs)
    return _over(guard, bounds)


def _over(guard: JobGuard, bounds: tuple[float, ...]) -> tuple[JobGuard, ...]:
    return tuple(
        replace(
            guard,
            name=guard.name if len(bounds) == 1 else f"{guard.name} over {length(bound)}",
            weight=guard.weight / len(bounds),
            slower_than=bound,
            query=guard.query and replace(guard.query, slower_than=bound),
        )
        for bound in bounds
    )
