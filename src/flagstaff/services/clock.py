"""What time is it? Real time, or a demo's time that runs faster."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
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

    def after(self, seconds: float) -> datetime:
        """Return what this clock will show when so many real seconds have passed."""
        ...

    def seconds_until(self, moment: datetime) -> float:
        """Return the real seconds until this clock shows `moment`, negative when it has."""
        ...


def elapsed() -> float:
    """Return seconds on a clock that nobody sets and that goes on while the machine sleeps."""
    return time.clock_gettime(BOOT)


BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def machine_time() -> datetime:
    """Return what the clock of this machine shows."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SystemClock:
    """Real time, as `real` shows it."""

    real: Callable[[], datetime] = field(default=machine_time, compare=False)

    def now(self) -> datetime:
        """Return the real time."""
        return self.real()

    def wall(self, moment: datetime) -> datetime:
        """Return the moment itself."""
        return moment

    def after(self, seconds: float) -> datetime:
        """Return the time in so many seconds."""
        return self.now() + timedelta(seconds=seconds)

    def seconds_until(self, moment: datetime) -> float:
        """Return the seconds until `moment`."""
        return (moment - self.now()).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class FastClock:
    """Time that passes `speed` times as fast as real time since `origin`.

    The origin is kept in the database, so that the clock goes on where it was after a restart.
    """

    origin: datetime
    speed: float
    real: Callable[[], datetime] = field(default=machine_time, compare=False)

    def now(self) -> datetime:
        """Return the fast time."""
        return self.origin + (self.real() - self.origin) * self.speed

    def wall(self, moment: datetime) -> datetime:
        """Return the real time at which this clock showed `moment`."""
        return self.origin + (moment - self.origin) / self.speed

    def after(self, seconds: float) -> datetime:
        """Return what this clock will show when so many real seconds have passed."""
        return self.now() + timedelta(seconds=seconds) * self.speed

    def seconds_until(self, moment: datetime) -> float:
        """Return the real seconds until this clock shows `moment`."""
        return (moment - self.now()).total_seconds() / self.speed
