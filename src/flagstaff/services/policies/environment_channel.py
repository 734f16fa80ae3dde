"""Is an environment changed in a channel whose people it concerns?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from flagstaff.services.person import Source
from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentChannel:
    """From chat, an environment changes only in the channels that are named for it."""

    setting: ClassVar[str] = "environment_channels"
    override: ClassVar[str] = "environment-channel"

    channels: Mapping[str, tuple[str, ...]]

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`; other ways in have no channel."""
        named = self.channels.get(change.environment, ())
        if not named or change.by.source is not Source.CHAT:
            return None
        if change.by.channel.lstrip("#") in {each.lstrip("#") for each in named}:
            return None
        where = " or ".join(named)
        return Refusal(
            what=f"{change.environment} changes only in {where}",
            remedy=f"write the same command in {where}",
        )
