"""Where are a plan's lines now, if people have edited the issue since?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import pairwise

_ALIKE = 0.8
_LEAST_PREFIX = 8
_LEAST_WORDS = 3
_COMPARED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line by its number and its text without the marker."""

    line: int
    anchor: str


def locate(wanted: Sequence[Place], present: Sequence[Place]) -> Mapping[int, int]:
    """Return the present line of each wanted one that can be found again.

    Both are in the order of their lines. Lines that stayed are taken as they are; otherwise texts
    that occur once are found first, and those that occur more often between them.
    """
    now = {place.line: place.anchor for place in present}
    if all(now.get(place.line) == place.anchor for place in wanted):
        return {place.line: place.line for place in wanted}
    search = _Search(wanted=wanted, present=present)
    search.only_ones()
    search.repeated()
    search.alike()
    return search.found


@dataclass(slots=True, kw_only=True)
class _Search:
    wanted: Sequence[Place]
    present: Sequence[Place]
    found: dict[int, int] = field(default_factory=dict)

    def only_ones(self) -> None:
        """Match texts that occur once then and once now."""
        then, now = _by_anchor(self.wanted), _by_anchor(self.present)
        for anchor, places in then.items():
            if len(places) == 1 and len(now.get(anchor, ())) == 1:
                self.found[places[0].line] = now[anchor][0].line

    def repeated(self) -> None:
        """Match the others between their matched neighbours, as far as that is unambiguous."""
        for gap in self._gaps():
            then, now = _by_anchor(gap.wanted), _by_anchor(gap.present)
            for anchor, places in then.items():
                here = now.get(anchor, [])
                if len(here) == len(places):
                    pairs = list(zip(places, here, strict=True))
                else:
                    pairs = _nearest_pairs(places, here, gap.shift)
                self.found.update({place.line: there.line for place, there in pairs})

    def alike(self) -> None:
        """Match lines whose text was changed a little, where only one is left to choose."""
        for gap in self._gaps():
            taken: set[int] = set()
            for place in gap.wanted:
                likely = [
                    there
                    for there in gap.present
                    if there.line not in taken and _is_alike(place, there)
                ]
                if len(likely) == 1:
                    self.found[place.line] = likely[0].line
                    taken.add(likely[0].line)

    def _gaps(self) -> list[_Gap]:
        """Return what is unmatched between one pair of matched neighbours and the next."""
        fixed = [(0, 0), *sorted(self.found.items()), (_END, _END)]
        taken = set(self.found.values())
        gaps = []
        for (after, low), (before, high) in pairwise(fixed):
            wanted = [place for place in self.wanted if after < place.line < before]
            present = [
                place
                for place in self.present
                if low < place.line < high and place.line not in taken
            ]
            if wanted and present:
                gaps.append(_Gap(wanted=wanted, present=present, shift=low - after))
        return gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    wanted: Sequence[Place]
    present: Sequence[Place]
    shift: int


_END = 1 << 60


def _by_anchor(places: Sequence[Place]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in places:
        if place.anchor:
            found.setdefault(place.anchor, []).append(place)
    return found


def _nearest_pairs(
    places: Sequence[Place], here: Sequence[Place], shift: int
) -> list[tuple[Place, Place]]:
    """Return pairs in order, each with the nearest line that is still free."""
    pairs = []
    free = list(here)
    for place in places:
        if not free:
            break
        near = min(free, key=lambda there: abs(there.line - place.line - shift))
        pairs.append((place, near))
        free = [there for there in free if there.line > near.line]
    return pairs


def _is_alike(place: Place, there: Place) -> bool:
    old, new = place.anchor[:_COMPARED], there.anchor[:_COMPARED]
    if min(len(old), len(new)) >= _LEAST_PREFIX and (new.startswith(old) or old.startswith(new)):
        return True
    if (
        len(old) >= _LEAST_WORDS
        and new.startswith(old)
        and not new[len(old) : len(old) + 1].isalnum()
    ):
        return True  # Somebody wrote something behind it.
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return (
        bool(old and new)
        and matcher.real_quick_ratio() >= _ALIKE
        and matcher.quick_ratio() >= _ALIKE
        and matcher.ratio() >= _ALIKE
    )
