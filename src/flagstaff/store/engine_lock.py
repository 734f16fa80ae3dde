"""Which of several servers on one database runs the rollouts?

PostgreSQL lets go of the lock when the session ends that holds it: at once when the process is
killed, within seconds when the network between them is cut, and in any case when it has heard
nothing for `FORGOTTEN` seconds. The holder asks more often than that and gives up earlier, so it
knows that it has lost the lock before another can have it.
"""

from __future__ import annotations

from time import monotonic
from typing import Final

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from flagstaff.errors import Unavailable
from flagstaff.store.database import Database

RUNNING: Final = 7_233_547
"""The PostgreSQL advisory lock that the server with the engine holds."""

FORGOTTEN: Final = 6.0
"""Seconds of silence after which PostgreSQL ends the session that holds the lock."""
SURE: Final = 4.0
"""Seconds since the last sign of life during which the holder may believe that it holds it."""
PATIENCE: Final = 2.0
"""Seconds that the holder waits for a sign of life."""


class Claim:
    """Held from `take` until `release`, or until `holds` says that it is lost."""

    def __init__(self, connection: Connection | None, since: float) -> None:
        self._connection = connection
        self._seen_at = since

    def holds(self) -> bool:
        """Ask the database whether we still hold it, and keep it from forgetting us."""
        if self._connection is None:
            return True
        asked_at = monotonic()
        try:
            self._connection.execute(select(1))
        except DBAPIError:
            return False
        sure = asked_at - self._seen_at < SURE
        self._seen_at = asked_at
        return sure

    def is_sure(self) -> bool:
        """Return whether nobody else can have it, without asking: the last answer is fresh."""
        return self._connection is None or monotonic() - self._seen_at < SURE

    def release(self) -> None:
        """Let the next server have it."""
        if self._connection is not None:
            self._connection.invalidate()  # a lost connection need not say goodbye
            self._connection.close()


def take(database: Database) -> Claim | None:
    """Return the claim, or `None` while another server holds it.

    An SQLite file has one server only, by a lock of its own.

    Raises:
        Unavailable: the database does not answer.
    """
    if database.engine.dialect.name != "postgresql":
        return Claim(None, 0.0)
    told = {"idle_session_timeout": f"{FORGOTTEN:g}s"}
    connection = database.dedicated(patience=PATIENCE, told=told)
    asked_at = monotonic()
    try:
        taken = connection.execute(text(f"SELECT pg_try_advisory_lock({RUNNING})")).scalar_one()
    except DBAPIError as exc:
        connection.close()
        raise Unavailable(f"the database does not answer: {exc.orig}") from exc
    if taken:
        return Claim(connection, asked_at)
    connection.close()
    return None
