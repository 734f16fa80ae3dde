"""How many failed of how many, as a query of a database tells it?

The query is the project's own and only reads. It is asked for everything between the beginning of
the watch and a moment ago, so what is asked twice counts once, and what is written late counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, Final, Protocol, cast

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from flagstaff.definitions.sources import MetricSource
from flagstaff.errors import Unavailable
from flagstaff.integrations.metrics.fetching import UNREAD
from flagstaff.rollouts.guard import Arm, Exposed, Kept, Measurement
from flagstaff.rollouts.query import Place, Query

COLUMNS: Final = ("cohort", "bad", "total")
MOST_ROWS: Final = 100
_PATIENCE: Final = {"postgresql": "connect_timeout", "sqlite": "timeout"}
"""The kinds that can be kept from writing, and what they call the time for being reached."""
STEPS: Final = 1_000
"""Steps of SQLite's machine between two looks at the clock."""


class _Interruptible(Protocol):
    def set_progress_handler(self, handler: Callable[[], int] | None, n: int) -> None: ...


class Sql:
    """Reads one row for each side: its word, how many failed, and how many there were.

    Args:
        source: which database.
        guard: whom it reads for.
        query: the statement, with `:since` and `:until` for the times in between which it counts,
            and `:slower_than` for the seconds above which something is bad.
    """

    def __init__(self, source: MetricSource, guard: str, query: Query) -> None:
        self._source, self._guard, self._query = source, guard, query

    def note(self, exposed: Exposed | None) -> None:
        """Take no note of other guards."""

    def measure(self, kept: Kept, latest: datetime, password: str) -> Measurement:
        """Return the counts since watching began.

        Raises:
            Unavailable: the database does not answer in time, refuses, or with something else.
        """
        at = kept.read_up_to(latest)
        rows = self._ask(kept.since, at, password)
        return Measurement(
            guard=self._guard,
            treatment=rows.get(self._query.on, Arm()),
            control=rows.get(self._query.off, Arm()),
            place=Place(at=at),
            behind=kept.behind(at),
        )

    def _ask(self, since: datetime, until: datetime, password: str) -> dict[str, Arm]:
        what = f"the database {self._source.name}"
        times = {"since": since.astimezone(UTC), "until": until.astimezone(UTC)}
        bound = {"slower_than": self._query.slower_than} if self._query.slower_than else {}
        try:
            url = make_url(self._source.address)
            url = url.set(password=password) if password else url
            reach = {_PATIENCE[url.get_backend_name()]: ceil(self._source.timeout.total_seconds())}
            engine = create_engine(url, poolclass=NullPool, connect_args=reach)
        except KeyError as exc:
            raise Unavailable(
                f"databases of the kind {exc} cannot be asked safely",
                hint="use PostgreSQL or SQLite",
            ) from exc
        except (ArgumentError, NoSuchModuleError, ImportError) as exc:
            raise Unavailable(
                f"{what} has no usable address", hint="see docs/howto/watch-other-metrics.md"
            ) from exc
        try:
            with engine.connect() as connection, connection.begin() as transaction:
                _only_read(connection, self._source.timeout)
                if connection.dialect.name == "sqlite":
                    times = {key: _plain(each) for key, each in times.items()}  # type: ignore[misc]
                result = connection.execute(text(self._query.statement), {**times, **bound})
                rows = _arms(what, tuple(result.keys()), result.fetchmany(MOST_ROWS + 1))
                transaction.rollback()
                return rows
        except SQLAlchemyError as exc:
            why = str(getattr(exc, "orig", None) or exc).strip().split("\n", 1)[0][:UNREAD]
            raise Unavailable(f"{what} does not answer the query: {why}") from exc
        finally:
            engine.dispose()


def _plain(moment: datetime) -> str:
    """Return a time as SQLite's own functions write it, in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _only_read(connection: Connection, timeout: timedelta) -> None:
    """Have the database refuse to change anything, and to think for longer than `timeout`."""
    milliseconds = round(timeout.total_seconds() * 1000)
    match connection.dialect.name:
        case "postgresql":
            connection.execute(text("SET TRANSACTION READ ONLY"))
            connection.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
        case "sqlite":
            connection.execute(text("PRAGMA query_only = ON"))
            ends_at = time.monotonic() + timeout.total_seconds()
            driver = cast("_Interruptible", connection.connection.driver_connection)
            driver.set_progress_handler(lambda: int(time.monotonic() > ends_at), STEPS)


def _arms(what: str, columns: tuple[str, ...], rows: Iterable[Any]) -> dict[str, Arm]:
    named = [each.lower() for each in columns]
    if missing := [each for each in COLUMNS if each not in named]:
        raise Unavailable(
            f"{what} answers without the column {missing[0]}",
            hint="select cohort, bad and total: `SELECT variant AS cohort, …`",
        )
    found: dict[str, Arm] = {}
    for row in rows:
        values = dict(zip(named, row, strict=True))
        cohort = str(values["cohort"])
        if cohort in found or len(found) >= MOST_ROWS:
            raise Unavailable(f"{what} answers with more than one row for a cohort")
        found[cohort] = Arm(
            total=_count(what, cohort, values["total"]), failed=_count(what, cohort, values["bad"])
        )
    return found


def _count(what: str, cohort: str, value: object) -> int:
    """Return a whole number, which drivers also give as decimals or floats; a sum of none is 0."""
    with suppress(ValueError, TypeError, OverflowError, ArithmeticError):
        number = 0 if value is None else int(cast("int", value))
        if number >= 0 and (value is None or number == value):
            return number
    raise Unavailable(f"{what} says {str(value)[:40]!r} for {cohort}, which is no whole number")
