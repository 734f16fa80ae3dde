"""Are changes of production locked at this time?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import ClassVar

from flagstaff.definitions.policies import Freeze
from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLock:
    """In a freeze nothing opens wider in production."""

    setting: ClassVar[str] = "freeze"
    override: ClassVar[str] = "change-lock"

    windows: tuple[Freeze, ...]

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`."""
        if not change.production or not change.widens:
            return None
        now = [each for each in self.windows if each.since <= change.now < each.until]
        if not now:
            return None
        last = max(now, key=lambda each: each.until)
        return Refusal(
            what=f"production is frozen: {last.reason}",
            remedy=f"wait until {last.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        )
