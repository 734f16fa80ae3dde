"""Are changes locked at this time?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import ClassVar

from flagstaff.definitions.policies import Freeze, QuietHours
from flagstaff.definitions.windows import frozen
from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLock:
    """In a freeze and in quiet hours nothing opens wider, and nowhere where somebody has locked."""

    setting: ClassVar[str] = "freeze"
    override: ClassVar[str] = "change-lock"

    windows: tuple[Freeze | QuietHours, ...]

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`."""
        if not change.widens:
            return None
        if change.lock is not None:
            return Refusal(
                what=f"{change.environment} is locked: {change.lock}",
                remedy=_remedy(change),
                until=change.lock.until,
            )
        found = frozen(self.windows, change.environment, change.now)
        if found is None:
            return None
        return Refusal(
            what=f"{change.environment} is frozen: {found.reason}",
            remedy="wait until "
            + (
                f"{found.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if found.until else "it is over"
            ),
            until=found.until,
        )


def _remedy(change: Change) -> str:
    unlock = f"unlock it: flagstaff unlock {change.environment}"
    if change.lock is None or change.lock.until is None:
        return unlock
    return f"wait until {change.lock.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC, or {unlock}"
