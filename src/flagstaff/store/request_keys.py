"""Which requests were carried out already, and what was answered?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from flagstaff.store.tables import request_key as table
from flagstaff.store.upsert import insert_new

FORGOTTEN_AT_ONCE = 100
"""Expired keys that one request sweeps up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """One request of one person; `digest` says what was asked for."""

    who: str
    key: str
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was answered to the request that came first."""

    digest: str
    answer: Any


def claim(connection: Connection, asked: RequestKey, *, expired: datetime) -> Answered | None:
    """Return the answer if the key was used since `expired`, else take it.

    It waits for a transaction that has just taken the same key, and takes it if that one fails.
    """
    values = {"who": asked.who, "key": asked.key, "digest": asked.digest, "at": asked.at}
    if insert_new(connection, table, {**values, "answer": None}):
        return None
    query = select(table.c.digest, table.c.answer, table.c.at).where(_is(asked)).with_for_update()
    found = connection.execute(query).one()
    if found.at >= expired:
        return Answered(digest=found.digest, answer=found.answer)
    connection.execute(update(table).where(_is(asked)).values({**values, "answer": None}))
    return None


def keep(connection: Connection, asked: RequestKey, answer: Any) -> None:
    """Keep the answer under the key that was claimed."""
    connection.execute(update(table).where(_is(asked)).values(answer=answer))


def forget(connection: Connection, expired: datetime) -> None:
    """Sweep up keys that are older, but none that somebody else is sweeping up."""
    query = (
        select(table.c.who, table.c.key)
        .where(table.c.at < expired)
        .limit(FORGOTTEN_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    for who, key in connection.execute(query).all():
        connection.execute(delete(table).where(table.c.who == who, table.c.key == key))


def _is(asked: RequestKey) -> ColumnElement[bool]:
    return and_(table.c.who == asked.who, table.c.key == asked.key)
