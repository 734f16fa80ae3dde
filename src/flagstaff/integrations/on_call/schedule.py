"""Who is on call, as a file of the project says?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flagstaff.definitions.on_call import OnCall, turn_at
from flagstaff.definitions.schedule_file import load_schedule
from flagstaff.services.ports import OnDuty


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Rotations in a file, read anew each time: people edit it while the server runs."""

    root: Path
    settings: OnCall

    @property
    def default(self) -> str:
        """Return the service that is meant when none is named."""
        return self.settings.default

    def services(self) -> tuple[str, ...]:
        """Return the services that the file has rotations for.

        Raises:
            DefinitionError: it cannot be read.
        """
        return tuple(load_schedule(self.root, self.settings.schedule))

    def on_duty(self, service: str, now: datetime) -> tuple[OnDuty, ...]:
        """Return whose turn it is at each level.

        Raises:
            DefinitionError: the file cannot be read.
        """
        rotations = load_schedule(self.root, self.settings.schedule).get(service, ())
        turns = enumerate((turn_at(each, now) for each in rotations), start=1)
        return tuple(
            OnDuty(
                name=turn.person.name, level=level, until=turn.until, mention=turn.person.mention
            )
            for level, turn in turns
            if turn.person is not None
        )
