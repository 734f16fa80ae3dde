"""Which flags should go, for pages that ask again and again?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flagstaff.definitions import Definitions
from flagstaff.services.lives.stale import StaleFlag, stale_flags
from flagstaff.services.permissions import visible
from flagstaff.services.unit import Unit
from flagstaff.store import audit

OLD: Final = timedelta(minutes=1)
"""How long an answer holds while nobody changes anything: applications and commits say nothing."""

FRESH: Final = timedelta(seconds=15)
"""How long it holds whatever is changed, for those whom that suffices: reasons last for days."""

MOST: Final = 64
"""Sets of environments that answers are kept for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    found: Sequence[StaleFlag]
    at: datetime
    definitions: Definitions
    entry: int


class StaleMemory:
    """Remembers which flags should go, for each set of environments that somebody may look into.

    Whatever anybody does is an entry of the audit log, so the newest entry tells whether an answer
    still holds. Give it to units that only read.
    """

    def __init__(self) -> None:
        self._answers: dict[tuple[str, ...], _Answer] = {}

    def flags(self, unit: Unit) -> Sequence[StaleFlag]:
        """Return the flags that should go, by name."""
        places, definitions = visible(unit), unit.context.definitions()
        entry = audit.newest_number(unit.connection)
        kept = self._answers.get(places)
        if (
            kept is not None
            and kept.entry == entry
            and kept.definitions is definitions
            and timedelta() <= unit.now - kept.at < OLD
        ):
            return kept.found
        found = stale_flags(unit)
        if len(self._answers) >= MOST:
            self._answers.clear()
        self._answers[places] = _Answer(
            found=found, at=unit.now, definitions=definitions, entry=entry
        )
        return found

    def count(self, unit: Unit) -> int:
        """Return how many they are, or were a few seconds ago."""
        kept = self._answers.get(visible(unit))
        if kept is not None and timedelta() <= unit.now - kept.at < FRESH:
            return len(kept.found)
        return len(self.flags(unit))
