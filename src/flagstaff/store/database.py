"""How do we reach the database, and what is one transaction?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import OperationalError

from flagstaff.errors import MissingExtra, Unavailable, UsageError

WRITE = "flagstaff_write"


class Database:
    """One database; `read` and `write` each give one transaction.

    Args:
        url: `sqlite:///path/to/file.db` or `postgresql://user@host/name`.

    Raises:
        UsageError: the URL names another kind of database.
        MissingExtra: the PostgreSQL driver is not installed.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "sqlite":
                if parsed.database:
                    Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
                self.engine = create_engine(parsed)
                _speak_sqlite(self.engine)
            case "postgresql":
                self.engine = _postgresql(parsed.set(drivername="postgresql+psycopg"))
            case other:
                raise UsageError(
                    f"{other} is not a database Flagstaff runs on",
                    hint="write sqlite:///FILE or postgresql://USER@HOST/NAME",
                )

    def migrate(self) -> None:
        """Bring the tables up to this version."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

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

    @contextmanager
    def _begin(self, *, write: bool, keep: bool = True) -> Iterator[Connection]:
        try:
            with self.engine.connect() as plain:
                connection = plain.execution_options(**{WRITE: write})
                with connection.begin() as transaction:
                    yield connection
                    if not keep:
                        transaction.rollback()
        except OperationalError as exc:
            raise Unavailable(
                f"the database does not answer: {exc.orig}",
                hint="nothing was changed; try again when it is back",
            ) from exc

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def _speak_sqlite(engine: Engine) -> None:
    """Take transactions into our own hands: the driver's begin late and upgrade locks."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "busy_timeout=30000",
            "foreign_keys=ON",
            "synchronous=FULL",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE, True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _postgresql(url: Any) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as exc:
        raise MissingExtra.named("postgres", package="psycopg") from exc
