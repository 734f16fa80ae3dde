"""What does a flag that asks another one become, when that one does not stay as it was?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flagstaff.flags.expression import asks
from flagstaff.flags.gates import Gates
from flagstaff.importers.model import Export, Fate, ImportedFlag, Loss, Taken

_LOSSY = frozenset({Fate.PARTLY, Fate.LOST})


def settled(export: Export) -> Export:
    """Return the export with the fate of flags that ask others following from the fate of those."""
    flags = {flag.name: flag for flag in export.flags if flag.name}
    found = {name: dict(flag.places) for name, flag in flags.items()}
    changed = True
    while changed:
        changed = False
        for name, flag in flags.items():
            for place, taken in found[name].items():
                after = _following(flag, taken, place, found)
                if after is not taken:
                    found[name][place] = after
                    changed = True
    return replace(
        export,
        flags=tuple(
            replace(flag, places=found[flag.name]) if flag.name else flag for flag in export.flags
        ),
    )


def _following(
    flag: ImportedFlag,
    taken: Taken,
    place: str,
    found: Mapping[str, Mapping[str, Taken]],
) -> Taken:
    asked = {name for name, _ in flag.prerequisites}
    if taken.gates.expression:
        asked |= asks(taken.gates.expression)
    if taken.fate is Fate.LOST or taken.gates == Gates():
        return taken
    for name in sorted(asked):
        parent = found.get(name, {}).get(place)
        if parent is None or parent.fate in _LOSSY:
            loss = Loss(f"{flag.theirs}", f"it asks {name}, which is not wholly taken over")
            return replace(
                taken, gates=Gates(), fate=Fate.LOST, losses=(*taken.losses, loss), reads=True
            )
        if parent.fate is Fate.MOVED and taken.fate is Fate.SAME:
            return replace(taken, fate=Fate.MOVED)
    return taken
