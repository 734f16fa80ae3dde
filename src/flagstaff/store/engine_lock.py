"""Which of several servers on one database runs the rollouts?"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from flagstaff.errors import Unavailable
from flagstaff.store.database import Database

RUNNING = 7_233_547
"""The PostgreSQL advisory lock that the server with the engine holds as long as it lives."""


def take(database: Database) -> Callable[[], None] | None:
    """Return what lets go of the engine's lock, or `None` while another server holds it.

    PostgreSQL lets go by itself when the connection ends, so also when the process is killed. An
    SQLite file has one server only, by a lock of its own.

    Raises:
        Unavailable: the database does not answer.
    """
    if database.engine.dialect.name != "postgresql":
        return lambda: None
    # A pool would keep the connection open, and the lock with it.
    apart = create_engine(database.engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        connection = apart.connect()
        taken = connection.execute(text(f"SELECT pg_try_advisory_lock({RUNNING})")).scalar_one()
    except OperationalError as exc:
        raise Unavailable(f"the database does not answer: {exc.orig}") from exc
    if taken:
        return connection.close
    connection.close()
    return None
