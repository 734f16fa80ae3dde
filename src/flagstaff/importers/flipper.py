"""What does an export of Flipper say? Its gates are ours."""

from __future__ import annotations

import json

from flagstaff.errors import UsageError
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.importers.evaluating import Evaluating
from flagstaff.importers.flipper_export import read_gates
from flagstaff.importers.model import Export, Fate, ImportedFlag, Taken
from flagstaff.importers.names import our_names
from flagstaff.importers.reading import At
from flagstaff.importers.taking import nameless

SYSTEM = "flipper"
_HINT = "export it again, or mend the file; nothing was changed"


def looks_like_flipper(document: At) -> bool:
    """Return whether this is an export of Flipper."""
    found = document.value
    return (
        isinstance(found, dict)
        and isinstance(found.get("features"), dict)
        and found.get("version") == 1
    )


def read_flipper(document: At) -> Export:
    """Return what an export says.

    Raises:
        UsageError: it is malformed; the place is named.
    """
    if document["version"].whole() != 1:
        raise document["version"].wrong("a version that is known; that is 1")
    gates: dict[str, Gates] = {}
    places: dict[str, str] = {}
    for name, at in document["features"].items():
        try:
            gates[name] = read_gates(name, at.value)
        except UsageError as exc:
            raise UsageError(f"{at.place}: {exc.message}", hint=exc.hint or _HINT) from exc
        places[name] = at.place
    names = our_names(gates)
    evaluating = Evaluating({name: Flag(name=name, gates=each) for name, each in gates.items()})
    flags = [
        nameless(name, places[name], names) or _flag(name, names[name], each, evaluating)
        for name, each in gates.items()
    ]
    grouped = [name for name, each in gates.items() if each.groups]
    remarks = (f"your application must register the groups of: {', '.join(grouped)}",)
    return Export(
        system=SYSTEM,
        environments=("",),
        flags=tuple(flags),
        remarks=remarks if grouped else (),
    )


def _flag(theirs: str, name: str, gates: Gates, evaluating: Evaluating) -> ImportedFlag:
    # The name is part of what is hashed.
    shared = gates.percentage_of_actors or "PercentageOfActors" in json.dumps(gates.expression)
    taken = Taken(
        gates=gates,
        fate=Fate.MOVED if shared and name != theirs else Fate.SAME,
        answer=evaluating.of(theirs),
        reads=bool(gates.expression or gates.groups),
    )
    return ImportedFlag(theirs=theirs, name=name, places={"": taken})
