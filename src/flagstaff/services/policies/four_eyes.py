"""Does a second person say yes?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flagstaff.services.policies.change import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class FourEyes:
    """Nobody approves, or skips, a step of a rollout that they have started themselves."""

    setting: ClassVar[str] = "four_eyes"
    override: ClassVar[str] = "four-eyes"

    def refusal(self, *, approver: str, starter: str) -> Refusal | None:
        """Return why the approval does not count, or `None`."""
        if not starter or approver != starter:
            return None
        return Refusal(
            what=f"{approver} has started this rollout, so somebody else has to approve it",
            remedy="ask a colleague",
        )
