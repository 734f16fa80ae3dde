"""Which flags of an export are imported, and what will all flags be then?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flagstaff.flags.flag import Flag
from flagstaff.importers import Export, Fate, ImportedFlag, Taken

_LOSSY = frozenset({Fate.PARTLY, Fate.LOST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is imported into one environment.

    Attributes:
        environment: ours.
        theirs: its name in the export.
        taken: the flags that are imported.
        left_out: those that are not, with what is lost.
    """

    environment: str
    theirs: str
    taken: tuple[tuple[ImportedFlag, Taken], ...]
    left_out: tuple[tuple[ImportedFlag, Taken | None], ...]

    def after(
        self, known: Mapping[str, Flag], *, rewritten: frozenset[str] = frozenset()
    ) -> dict[str, Flag]:
        """Return all flags of the environment as they will be.

        `rewritten` are those whose definition is written anew; others keep what they have.
        """
        found = dict(known)
        for flag, taken in self.taken:
            there = found.get(flag.name)
            if there is None or flag.name in rewritten:
                there = Flag(
                    name=flag.name,
                    type=flag.type,
                    bucketing=flag.bucketing,
                    prerequisites=flag.prerequisites,
                )
            found[flag.name] = replace(there, gates=taken.gates)
        return found


def plan(
    export: Export, places: Mapping[str, str], *, match: str, accept_loss: bool
) -> list[Place]:
    """Return what is imported where.

    Args:
        export: what the file says.
        places: their environment by ours.
        match: only flags whose name contains this.
        accept_loss: also those of which something is lost.
    """
    return [_place(export, ours, theirs, match, accept_loss) for ours, theirs in places.items()]


def _place(export: Export, ours: str, theirs: str, match: str, accept_loss: bool) -> Place:  # noqa: FBT001
    taken: list[tuple[ImportedFlag, Taken]] = []
    left: list[tuple[ImportedFlag, Taken | None]] = []
    for flag in export.flags:
        if match not in flag.theirs and match not in flag.name:
            continue
        found = flag.places.get(theirs)
        if found is None:
            if flag.losses:
                left.append((flag, None))
        elif found.fate in _LOSSY and not accept_loss:
            left.append((flag, found))
        else:
            taken.append((flag, found))
    return Place(environment=ours, theirs=theirs, taken=tuple(taken), left_out=tuple(left))
