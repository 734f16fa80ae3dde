"""What time does this installation live in, also after a restart?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flagstaff.errors import Conflict, UsageError
from flagstaff.services.clock import Clock, FastClock, SystemClock, machine_time
from flagstaff.services.steady import steady_time
from flagstaff.store import audit, settings, usage
from flagstaff.store.database import Database

KEY = "clock"


def kept_clock(database: Database, speed: float | None = None) -> Clock:
    """Return the clock this database has lived with, or from now on lives with.

    Args:
        database: where the clock's origin and speed are kept.
        speed: how much faster than real time, at least 1; `None` goes on as before.

    Raises:
        UsageError: the speed is below 1.
        Conflict: the database is in use at another speed, or is ahead of real time already.
    """
    if speed is not None and not 1 <= speed < float("inf"):
        raise UsageError(
            f"the speed of the clock cannot be {speed:g}",
            hint="1 is real time, 600 lets an hour pass in six seconds",
        )
    with database.read() as connection:
        known = _clock(settings.get(connection, KEY), machine_time)
        recorded = audit.newest_at(connection)
    real = steady_time(database, known.wall(recorded) if recorded else None)
    with database.write() as connection:
        kept = _clock(settings.get(connection, KEY), real)
        if speed is None or speed == speed_of(kept):
            return kept
        if usage.in_use(connection):
            raise Conflict(
                f"this database is in use at {speed_of(kept):g} times real time, and cannot change "
                f"to {speed:g}: the times in it would no longer fit together",
                hint=f"leave --speed out, or take a new database for --speed {speed:g}",
            )
        clock = _changed(kept, speed, real)
        value = {"origin": clock.origin.isoformat(), "speed": clock.speed}
        settings.put(connection, KEY, value)
        return clock


def _changed(kept: Clock, speed: float, now: Callable[[], datetime]) -> FastClock:
    """Return the clock that shows the same time now and goes on at another speed."""
    real, shown = now(), kept.now()
    if speed == 1:
        raise Conflict(
            f"this database lives {shown - real} ahead of real time, and time cannot run back",
            hint=f"start with --speed {speed_of(kept):g}, or with a new database",
        )
    return FastClock(origin=real + (shown - real) / (1 - speed), speed=speed, real=now)


def _clock(value: dict[str, object] | None, real: Callable[[], datetime]) -> Clock:
    if value is None:
        return SystemClock(real)
    origin = datetime.fromisoformat(str(value["origin"]))
    return FastClock(origin=origin, speed=float(str(value["speed"])), real=real)


def speed_of(clock: Clock) -> float:
    """Return how many times as fast as real time the clock runs."""
    return clock.speed if isinstance(clock, FastClock) else 1.0
