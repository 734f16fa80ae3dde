"""What time is it? Real time, or a demo's time that runs faster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where every time in the product comes from."""

    def now(self) -> datetime:
        """Return the time that rollouts live in."""
        ...

    def wall(self, moment: datetime) -> datetime:
        """Return the real time at which `now()` was `moment`."""
        ...

    def real_seconds(self, length: timedelta) -> float:
        """Return how many real seconds a length of this clock's time takes."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """Return the real time."""
        return datetime.now(UTC)

    def wall(self, moment: datetime) -> datetime:
        """Return the moment itself."""
        return moment

    def real_seconds(self, length: timedelta) -> float:
        """Return the length in seconds."""
        return length.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class FastClock:
    """Time that passes `speed` times as fast as real time since `origin`.

    The origin is kept in the database, so that the clock goes on where it was after a restart.
    """

    origin: datetime
    speed: float

    def now(self) -> datetime:
        """Return the fast time."""
        return self.origin + (datetime.now(UTC) - self.origin) * self.speed

    def wall(self, moment: datetime) -> datetime:
        """Return the real time at which this clock showed `moment`."""
        return self.origin + (moment - self.origin) / self.speed

    def real_seconds(self, length: timedelta) -> float:
        """Return how long the length takes in real seconds."""
        return length.total_seconds() / self.speed
