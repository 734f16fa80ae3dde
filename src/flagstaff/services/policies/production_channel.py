"""Is production changed where everybody sees it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flagstaff.services.person import Source
from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionChannel:
    """From chat, production changes only in the channel that is named for it."""

    setting: ClassVar[str] = "production_channel"
    override: ClassVar[str] = "production-channel"

    channel: str

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`; other ways in have no channel."""
        if not change.production or change.by.source is not Source.CHAT or not self.channel:
            return None
        if change.by.channel.lstrip("#") == self.channel.lstrip("#"):
            return None
        return Refusal(
            what=f"production changes only in {self.channel}",
            remedy=f"write the same command in {self.channel}",
        )
