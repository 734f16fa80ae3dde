"""Is production well, and no incident open?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionHealth:
    """While production is not well, or an incident is open somewhere, nothing opens wider there."""

    setting: ClassVar[str] = "health"
    override: ClassVar[str] = "ignore-production-check"

    asked: bool = True
    """Whether the project says whom to ask about production."""

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`."""
        if not change.widens:
            return None
        if change.incident is not None:
            return Refusal(
                what=f"an incident is open in {change.environment}: {change.incident}",
                remedy="wait until it is over; then: flagstaff incident close",
            )
        if not self.asked or not change.production:
            return None
        if change.healthy is None or change.healthy.yes:
            return None
        return Refusal(
            what=f"the production check says no: {change.healthy.text}",
            remedy="look into it with whoever is on call, and try again",
        )
