"""Do the definitions say something else than when clients were last told?"""

from __future__ import annotations

import hashlib
import json

from flagstaff.definitions import Definitions
from flagstaff.definitions.state import flag_of
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store
from flagstaff.store import settings

DECLARED = "declared"


def note_definitions(unit: Unit, noted: str = "") -> str:
    """Give every environment a new version if the definitions answer otherwise than before.

    The version of an environment grows by itself when somebody sets a flag there; this is for files
    that were edited, while the server ran or between two starts.

    Args:
        unit: one that writes.
        noted: what this process noted last; a replica that is late with its files must still give
            its own clients a new version.

    Returns:
        The fingerprint that is noted now.
    """
    environments = unit.context.project.environments
    store.lock(unit.connection, environments)
    found = fingerprint(unit.context.definitions())
    known = settings.get(unit.connection, DECLARED)
    if found == known and noted in {"", found}:
        return found
    if known is not None:
        for environment in environments:
            store.bump(unit.connection, environment)
            unit.changed.add(f"flags:{environment}")
    settings.put(unit.connection, DECLARED, found)
    return found


def fingerprint(definitions: Definitions) -> str:
    """Return a text that is another one whenever an application could be answered otherwise."""
    declared = {
        name: flag_of(name, definition, None).to_json() for name, definition in definitions.items()
    }
    text = json.dumps(declared, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
