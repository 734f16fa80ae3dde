"""What is a source of snapshots?"""

from __future__ import annotations

from typing import Protocol

from flagstaff.sdk.holder import Holder


class Source(Protocol):
    """Something that puts snapshots into a holder, now and whenever they change."""

    def start(self, holder: Holder) -> None:
        """Put the first snapshot in force, or begin to fetch it, and keep it up to date."""

    def after_fork(self) -> None:
        """Go on in a forked child, where neither threads nor connections survive."""

    def close(self, timeout: float) -> None:
        """End, and wait up to `timeout` seconds for it; the last snapshot stays in force."""

    def __repr__(self) -> str:
        """Return the chain of places, first choice first."""
