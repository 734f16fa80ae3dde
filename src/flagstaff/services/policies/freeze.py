"""Are changes locked at this time?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import ClassVar

from flagstaff.definitions.policies import Freeze
from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLock:
    """In a freeze nothing opens wider in production, and nowhere where somebody has locked it."""

    setting: ClassVar[str] = "freeze"
    override: ClassVar[str] = "change-lock"

    windows: tuple[Freeze, ...]

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`."""
        if not change.widens:
            return None
        if change.lock is not None:
            return Refusal(
                what=f"{change.environment} is locked: {change.lock}", remedy=_remedy(change)
            )
        if not change.production:
            return None
        now = [each for each in self.windows if each.since <= change.now < each.until]
        if not now:
            return None
        last = max(now, key=lambda each: each.until)
        return Refusal(
            what=f"production is frozen: {last.reason}",
            remedy=f"wait until {last.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        )


def _remedy(change: Change) -> str:
    unlock = f"unlock it: flagstaff unlock {change.environment}"
    if change.lock is None or change.lock.until is None:
        return unlock
    return f"wait until {change.lock.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC, or {unlock}"
