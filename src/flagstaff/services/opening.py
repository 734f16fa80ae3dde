"""Where is everything kept, and is it ready to be used?"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from flagstaff.errors import UsageError
from flagstaff.store.database import Database

__all__ = ["Database", "conninfo", "database_file", "open_database"]


def database_file(url: str) -> Path | None:
    """Return the file of an SQLite database, `None` for any other.

    Raises:
        UsageError: the text is no address of a database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise UsageError(
            f"{url!r} is not the address of a database",
            hint="write sqlite:///FILE or postgresql://USER@HOST/NAME",
        ) from exc
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def conninfo(url: str, *, schema: str) -> str:
    """Return the address of a PostgreSQL as `psycopg` takes it, for a schema beside our own."""
    from flagstaff.store import postgresql  # noqa: PLC0415 its driver is an extra

    return postgresql.conninfo(make_url(url).set(drivername="postgresql+psycopg"), schema=schema)


def open_database(url: str) -> Database:
    """Return the database, its tables brought up to this version."""
    database = Database(url)
    database.migrate()
    return database
