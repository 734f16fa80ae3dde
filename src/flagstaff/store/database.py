"""How do we reach the database, and what is one transaction?"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from flagstaff.errors import MissingExtra, Unavailable, UsageError
from flagstaff.store.explained import explained
from flagstaff.store.marker import is_current
from flagstaff.store.outage import Outage

WRITE = "flagstaff_write"

BUSY = 30.0
"""Seconds for which one waits for another to finish with an SQLite file."""

MIGRATING = 7_233_546
"""The PostgreSQL advisory lock that one starting server holds while it migrates."""

MIGRATION: Final = MappingProxyType({"statement_timeout": "0", "lock_timeout": "60s"})
"""A migration may take long, but not wait for ever for a table that somebody else reads."""

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

HOW_TO_NAME_ONE = "write sqlite:///FILE or postgresql://USER@HOST/NAME"


class Database:
    """One database; `read` and `write` each give one transaction.

    Attributes:
        errors: how often it did not answer.

    Args:
        url: `sqlite:///path/to/file.db` or `postgresql://user@host/name`.

    Raises:
        UsageError: the URL is none, or names another kind of database.
        Unavailable: there is no folder for the file, and none can be made.
        MissingExtra: the PostgreSQL driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self._outage = Outage()
        self.errors = 0
        try:
            parsed = make_url(url)
        except ArgumentError as exc:
            # The text may hold a password, so it is not repeated.
            raise UsageError("this is no address of a database", hint=HOW_TO_NAME_ONE) from exc
        match parsed.drivername.partition("+")[0]:
            case "sqlite":
                self.engine = _sqlite(parsed)
            case "postgresql":
                self.engine = _postgresql(parsed.set(drivername="postgresql+psycopg"))
            case other:
                raise UsageError(
                    f"{other} is not a database Flagstaff runs on", hint=HOW_TO_NAME_ONE
                )

    def migrate(self) -> None:
        """Bring the tables up to this version, one server at a time.

        Tables that a newer version has made stay as they are, if it says that this one can work
        with them.

        Raises:
            Conflict: the tables were made by a newer version that this one cannot work with.
        """
        with self._migrating() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATING})"))
            if not is_current(connection):
                # It loads Alembic, which is not needed where nothing is to be done.
                from flagstaff.store import schema  # noqa: PLC0415

                schema.upgrade(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give one consistent view that writes nothing."""
        with self._begin(write=False) as connection:
            yield connection

    @contextmanager
    def write(self, *, keep: bool = True) -> Iterator[Connection]:
        """Give one transaction: all of it is kept, or on an exception none of it.

        Without `keep` none of it is kept in any case: what would happen can be seen and is undone.
        """
        with self._begin(write=True, keep=keep) as connection:
            yield connection

    def dedicated(self, *, patience: float, told: Mapping[str, str] = NOTHING) -> Connection:
        """Return a connection of PostgreSQL that commits every statement, for one purpose alone.

        Args:
            patience: seconds without a sign of life, after which it is given up.
            told: settings of the server for this connection.

        Raises:
            Unavailable: the database does not answer.
        """
        from flagstaff.store import postgresql  # noqa: PLC0415 its driver is an extra

        engine = postgresql.dedicated(self.engine.url, patience=patience, told=told)
        with explained():
            return engine.connect()

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        """Give the transaction of a migration, which may take as long as it takes."""
        if self.engine.dialect.name != "postgresql":
            with self.write() as connection:
                yield connection
            return
        from flagstaff.store import postgresql  # noqa: PLC0415 its driver is an extra

        engine = postgresql.dedicated(
            self.engine.url, patience=None, told=MIGRATION, transactions=True
        )
        with explained(), engine.begin() as connection:
            yield connection

    @contextmanager
    def _begin(self, *, write: bool, keep: bool = True) -> Iterator[Connection]:
        with explained() as progress, contextlib.ExitStack() as stack:
            progress.writes = write
            with self._counted(), self._outage.reaching(), explained():
                plain = stack.enter_context(self.engine.connect())
            connection = plain.execution_options(**self._options(write=write))
            with connection.begin() as transaction:
                yield connection
                if not keep:
                    transaction.rollback()
                progress.committing = write and keep

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except Unavailable:
            self.errors += 1
            raise

    def _options(self, *, write: bool) -> dict[str, Any]:
        """Return what makes reading see one moment and change nothing, on either database."""
        options: dict[str, Any] = {WRITE: write}
        if self.engine.dialect.name == "postgresql" and not write:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return options

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise UsageError(
            "a database in memory is forgotten between two connections", hint=HOW_TO_NAME_ONE
        )
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise Unavailable(f"there is no place for the database: {exc}") from exc
    engine = create_engine(url.set(drivername="sqlite"), hide_parameters=True)
    _speak_sqlite(engine)
    return engine


def _speak_sqlite(engine: Engine) -> None:
    """Take transactions into our own hands: the driver's begin late and upgrade locks."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={BUSY * 1_000:.0f}")
        _keep_a_log(connection)
        for pragma in ("foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE, True)
        connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if write else 'ON'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _keep_a_log(connection: Any) -> None:
    """Let readers not wait for a writer; for the first time, this waits for all others.

    SQLite itself does not wait here, whatever its time-out: two that changed a new file at once
    would wait for each other.
    """
    until = time.monotonic() + BUSY
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _postgresql(url: URL) -> Engine:
    try:
        from flagstaff.store import postgresql  # noqa: PLC0415 its driver is an extra
    except ModuleNotFoundError as exc:
        raise MissingExtra.named("postgres", package="psycopg") from exc
    return postgresql.pooled(url)
