"""How does time pass evenly when the clock of a machine is set?

Waits end when a clock shows a time. A clock that is set forward would end them before guards have
seen enough, one that is set back would begin them anew. So time passes here as a counter counts
that nobody can set, and is led towards what the clock shows, a little faster or slower.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import DateTime, func, select

from flagstaff.errors import FlagstaffError
from flagstaff.services.clock import elapsed
from flagstaff.store.database import Database

LED: Final = 0.05
"""How much faster or slower time passes, at the most, until it is what the clock shows."""

ASKED_EVERY: Final = 60.0
"""Seconds between questions to PostgreSQL, whose clock all replicas share."""

FAR: Final = timedelta(minutes=1)

log = logging.getLogger(__name__)


class SteadyTime:
    """Real time that never goes back and never jumps while the process lives.

    Args:
        clock: what is shown by the clock that is to be followed.
        at_least: what has been recorded already; time begins no earlier.
        counter: counts the seconds.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        at_least: datetime | None = None,
        *,
        counter: Callable[[], float] = elapsed,
    ) -> None:
        self._clock = clock
        self._counter = counter
        self._lock = threading.Lock()
        self._counted = counter()
        self._shown = shown = clock()
        if at_least is not None and at_least > shown:
            self._shown = at_least
            if at_least - shown > FAR:
                log.warning(
                    "the clock shows %s, and something is recorded for %s already: time goes on "
                    "from there, somewhat slower until the clock has caught up",
                    shown,
                    at_least,
                )

    def __call__(self) -> datetime:
        """Return the time."""
        wanted = self._clock()
        with self._lock:
            counted = self._counter()
            passed = timedelta(seconds=counted - self._counted)
            most = passed * LED
            self._counted = counted
            self._shown += passed
            self._shown += min(max(wanted - self._shown, -most), most)
            return self._shown


class DatabaseTime:
    """What the clock of PostgreSQL shows; between questions, as the counter counts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._asked_at = elapsed()
        self._shown, self._counted = self._ask()

    def __call__(self) -> datetime:
        """Return what it shows; one that does not answer is not waited for again for a while."""
        now = elapsed()
        with self._lock:
            ask = now - self._asked_at >= ASKED_EVERY
            if ask:
                self._asked_at = now
        if ask:
            try:
                self._shown, self._counted = self._ask()
            except FlagstaffError as exc:
                log.info("the database does not say what time it is: %s", exc)
        return self._shown + timedelta(seconds=elapsed() - self._counted)

    def _ask(self) -> tuple[datetime, float]:
        before = elapsed()
        with self._database.read() as connection:
            query = select(func.clock_timestamp(type_=DateTime(timezone=True)))
            shown = connection.execute(query).scalar_one()
        return shown.astimezone(UTC), (before + elapsed()) / 2


def steady_time(database: Database, at_least: datetime | None) -> SteadyTime:
    """Return the time that everybody on the database shares, or that of this machine."""
    if database.engine.dialect.name == "postgresql":
        return SteadyTime(DatabaseTime(database), at_least)
    return SteadyTime(lambda: datetime.now(UTC), at_least)
