"""Which gates would the end of a rollout put back, and to what?"""

from __future__ import annotations

from collections.abc import Mapping

from flagstaff.flags.describe import describe
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store

UNSET = "not set"


def gates_in_words(unit: Unit, flag: str) -> Mapping[str, str]:
    """Return who gets a flag, by environment."""
    found = store.find(unit.connection, flag=flag)
    return {each.environment: describe(each.gates, default=False) for each in found}


def changes_in_words(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return what is other than before, a line for each environment."""
    lines = [
        f"{name}: {before.get(name, UNSET)} → {after.get(name, UNSET)}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    return "\n".join(lines) or "no gate would change"
