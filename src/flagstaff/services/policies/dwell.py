"""Has the last step in production been looked at for long enough?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import ClassVar

from flagstaff.definitions.duration import format_duration
from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Dwell:
    """Between two steps of a flag in production there is a least time."""

    setting: ClassVar[str] = "min_dwell"
    override: ClassVar[str] = "min-dwell"

    least: timedelta

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`."""
        if not change.production or not change.widens or change.changed_at is None:
            return None
        until = change.changed_at + self.least
        if change.now >= until:
            return None
        return Refusal(
            what=f"{change.flag} changed in production at "
            f"{change.changed_at.astimezone(UTC):%H:%M} UTC; steps are at least "
            f"{format_duration(self.least)} apart",
            remedy=f"wait until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            until=until,
        )
