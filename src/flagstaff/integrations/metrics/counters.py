"""How much have counters grown since the evidence ends, whatever became of their processes?

Counters are compared one by one, never in sums: one that is lower than before began at zero again,
and one that is new began after the last reading. One that is gone keeps its place, for it may come
back; one that was away too long starts anew without counting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2s
from math import isfinite

from flagstaff.errors import Unavailable
from flagstaff.rollouts.guard import Arm, Kept, Measurement
from flagstaff.rollouts.query import Base, Place

MOST_COUNTERS = 1_000
"""Counters of one guard, which are all kept with the rollout."""

MOST_GONE = 1_000
"""Counters that are gone and still remembered, the latest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One counter at one moment: on which side it counts, and whether failures or everything."""

    on: bool
    bad: bool
    labels: tuple[tuple[str, str], ...] = ()
    value: float

    @property
    def key(self) -> str:
        """Return what it is known by."""
        text = "\0".join(part for pair in self.labels for part in pair)
        side = f"{'on' if self.on else 'off'}/{'bad' if self.bad else 'all'}"
        return f"{side}/{blake2s(text.encode(), digest_size=8).hexdigest()}"


def begun(guard: str, found: Iterable[Counter], at: datetime) -> Measurement:
    """Return a first reading, which counts nothing: what was before the watch is none of it."""
    bases = tuple(_bases(_checked(found), at))
    return Measurement(guard=guard, place=Place(at=at, bases=bases))


def grown(
    guard: str, found: Iterable[Counter], kept: Kept, at: datetime, max_gap: timedelta
) -> Measurement:
    """Return the counts since the watch began, from the counters as they stood at `at`.

    Raises:
        Unavailable: a counter has no proper value, or there are too many of them.
    """
    counters = _checked(found)
    known = {each.key: each for each in kept.place.bases}
    began = kept.place.at or kept.since
    gap = at - began > max_gap
    grew = dict.fromkeys(((on, bad) for on in (True, False) for bad in (True, False)), 0.0)
    for key, counter in counters.items():
        base = known.get(key)
        if gap or (base is not None and at - base.at > max_gap):
            continue
        grew[counter.on, counter.bad] += _grown(counter.value, base)
    bases = (*_bases(counters, at), *_gone(known, counters))
    return Measurement(
        guard=guard,
        treatment=kept.treatment
        + Arm(total=round(grew[True, False]), failed=round(grew[True, True])),
        control=kept.control
        + Arm(total=round(grew[False, False]), failed=round(grew[False, True])),
        place=Place(at=at, bases=bases),
        behind=kept.behind(at),
    )


def _grown(value: float, base: Base | None) -> float:
    if base is None or value < base.value:
        return value
    return value - base.value


def _checked(found: Iterable[Counter]) -> dict[str, Counter]:
    counters: dict[str, Counter] = {}
    for each in found:
        if not isfinite(each.value) or each.value < 0:
            raise Unavailable(f"a counter is {each.value:g}, which is no count")
        if each.key in counters:
            raise Unavailable(
                "two counters have the same labels", hint="keep the label `instance` in the query"
            )
        counters[each.key] = each
    if len(counters) > MOST_COUNTERS:
        raise Unavailable(
            f"there are {len(counters):,} counters, more than {MOST_COUNTERS:,}",
            hint="ask for fewer of them: sum by (instance, variant) (…)",
        )
    return counters


def _bases(counters: Mapping[str, Counter], at: datetime) -> Iterator[Base]:
    for key, counter in counters.items():
        yield Base(key=key, value=counter.value, at=at)


def _gone(known: Mapping[str, Base], counters: Mapping[str, Counter]) -> list[Base]:
    gone = [each for key, each in known.items() if key not in counters]
    return sorted(gone, key=lambda each: (each.at, each.key), reverse=True)[:MOST_GONE]
