"""Is this step small enough to be survived?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from flagstaff.flags.percentage import format_percentage
from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSize:
    """One step in production opens a flag by so many percentage points at most."""

    setting: ClassVar[str] = "max_step"
    override: ClassVar[str] = "max-step"

    most: Decimal

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`."""
        if not change.production or change.step <= self.most:
            return None
        most = format_percentage(self.most)
        return Refusal(
            what=f"a step of {format_percentage(change.step)} percentage points in production is "
            f"too large, {most} is the most",
            remedy="take a smaller step first",
        )
