"""How do we speak to PostgreSQL, and never wait for it for ever?

A server that is gone says nothing, and neither does a network that swallows packets. So both ends
of a connection ask each other for signs of life, and whoever waits for an answer gives up when
nothing has come for a while: the connection is closed then, because an answer to the old question
may still arrive on it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from time import monotonic
from typing import Any, Final, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import NullPool, Pool, QueuePool, create_engine, event
from sqlalchemy.engine import URL, Engine

PATIENCE: Final = 4.0
"""Seconds without a byte of the answer, after which a connection is given up."""

OURS: Final = {
    "application_name": "flagstaff",
    "connect_timeout": "2",
    "keepalives": "1",
    "keepalives_idle": "2",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "4000",
}
"""What the driver and the kernel on our side are told; the address may say otherwise."""

THEIRS: Final = {
    "statement_timeout": "4s",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "15s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "4000",
}
"""What the server is told, so that it lets go of what a client held that has disappeared."""

RV = TypeVar("RV")


class PatientConnection(psycopg.Connection[Any]):
    """A connection on which nobody waits longer than `patience` seconds for a sign of life."""

    patience: float | None = PATIENCE

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Do what `gen` does; every statement, commit and look for notifications comes here.

        Raises:
            psycopg.OperationalError: nothing came; the connection is closed.
        """
        if self.patience is not None:
            gen = _bounded(gen, self.patience, self)
        return super().wait(gen, *args, **options)


def _bounded(
    gen: Generator[Any, Any, RV], patience: float, connection: PatientConnection
) -> Generator[Any, Any, RV]:
    give_up_at = monotonic() + patience
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                give_up_at = monotonic() + patience
            elif monotonic() >= give_up_at:
                gen.close()
                connection.pgconn.finish()
                raise psycopg.OperationalError(f"nothing came for {patience:g} seconds")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def pooled(url: URL) -> Engine:
    """Return the engine whose connections requests take turns with."""
    pool = {"pool_size": 10, "max_overflow": 10, "pool_timeout": PATIENCE, "pool_pre_ping": True}
    return _engine(url, QueuePool, pool, patience=PATIENCE, told=THEIRS)


def dedicated(
    url: URL, *, patience: float | None, told: Mapping[str, str], transactions: bool = False
) -> Engine:
    """Return an engine of connections for one purpose each, closed as soon as they are let go.

    Args:
        url: the database.
        patience: seconds to wait for a sign of life; `None` waits as long as the network lives.
        told: settings of the server for these connections, over the usual ones.
        transactions: whether statements are part of one until it is committed.
    """
    options = {} if transactions else {"isolation_level": "AUTOCOMMIT"}
    return _engine(url, NullPool, options, patience=patience, told={**THEIRS, **told})


def conninfo(url: URL, *, schema: str) -> str:
    """Return the address as `psycopg` takes it, for what stands in a schema of its own."""
    own = url.query.get("options", "")
    words = [own] if isinstance(own, str) else [*own]
    options = " ".join([*words, f"-c search_path={schema}"]).strip()
    reached = _reaching(url.set(query={**url.query, "options": options}), THEIRS)
    _, given = reached.get_dialect()().create_connect_args(reached)
    return make_conninfo(**given)


def _engine(
    url: URL,
    pool: type[Pool],
    options: Mapping[str, Any],
    *,
    patience: float | None,
    told: Mapping[str, str],
) -> Engine:
    engine = create_engine(_reaching(url, told), poolclass=pool, hide_parameters=True, **options)

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, args: list[Any], words: dict[str, Any]) -> Any:
        connection = PatientConnection.connect(*args, **words)
        connection.patience = patience
        return connection

    return engine


def _reaching(url: URL, told: Mapping[str, str]) -> URL:
    """Return the address with our settings; those that it has itself win."""
    given = dict(url.query)
    words = [f"-c {name}={value}" for name, value in told.items()]
    own = given.pop("options", "")
    words += [own] if isinstance(own, str) else own
    return url.set(query={**OURS, **given, "options": " ".join(words).strip()})
