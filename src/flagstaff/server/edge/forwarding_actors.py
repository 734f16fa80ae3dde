"""How does what processes noted of actors get through an edge? Added up: they are sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from flagstaff.services.actors import Report

Place = tuple[str, int, int]
"""The flag, the number of the rollout and that of the draw."""

ACTORS_IN_ONE = 1_000


def size_of(reports: Iterable[Report]) -> int:
    """Return how many actors they name, and how many reports there are."""
    return sum(1 + len(each.seen) for each in reports)


def add(kept: dict[Place, Report], reports: Iterable[Report]) -> None:
    """Put reports to those that are kept."""
    for each in reports:
        place = (each.flag, each.rollout, each.draw)
        before = kept.get(place)
        kept[place] = each if before is None else _both(before, each)


def cut(reports: Iterable[Report]) -> Iterator[Report]:
    """Yield them again, each short enough for one report; an actor is in one piece alone."""
    for each in reports:
        actors = sorted(each.seen)
        for start in range(0, max(1, len(actors)), ACTORS_IN_ONE):
            some = {actor: each.seen[actor] for actor in actors[start : start + ACTORS_IN_ONE]}
            failed = {kind: some.keys() & set(of) for kind, of in each.failed.items()}
            yield replace(each, seen=some, failed={kind: of for kind, of in failed.items() if of})


def written(report: Report) -> dict[str, object]:
    """Return the wire form."""
    seen = report.seen
    return {
        "flag": report.flag,
        "rollout": report.rollout,
        "draw": report.draw,
        "kinds": sorted(report.kinds),
        "bare": sorted(report.bare),
        "on": sorted(actor for actor, on in seen.items() if on),
        "off": sorted(actor for actor, on in seen.items() if not on),
        "failed": {
            kind: {
                "on": sorted(actor for actor in of if seen[actor]),
                "off": sorted(actor for actor in of if not seen[actor]),
            }
            for kind, of in report.failed.items()
        },
    }


def _both(one: Report, other: Report) -> Report:
    kinds = one.failed.keys() | other.failed.keys()
    return replace(
        one,
        seen={**other.seen, **one.seen},
        failed={kind: {*one.failed.get(kind, ()), *other.failed.get(kind, ())} for kind in kinds},
        kinds={*one.kinds, *other.kinds},
        bare={*one.bare, *other.bare},
    )
