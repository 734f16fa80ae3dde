"""Which announcements that belong to no rollout still have to be made?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.effect import Post
from flagstaff.store.tables import notice as table
from flagstaff.store.upsert import insert_new

PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One announcement that waits; `attempts` counts the tries that failed."""

    post: Post
    attempts: int


def add(connection: Connection, post: Post, at: datetime) -> bool:
    """Put an announcement there; one whose key is there already is the same one."""
    row = {
        "key": post.key,
        "body": encode(post),
        "status": PENDING,
        "attempts": 0,
        "not_before": at,
        "error": "",
        "created_at": at,
        "done_at": None,
    }
    return insert_new(connection, table, row)


def due(connection: Connection, now: datetime, *, limit: int = 50) -> list[Notice]:
    """Return what may be tried now, the longest due first."""
    query = (
        select(table)
        .where(table.c.status == PENDING, table.c.not_before <= now)
        .order_by(table.c.not_before, table.c.key)
        .limit(limit)
    )
    return [
        Notice(post=decode(row.body, Post), attempts=row.attempts)
        for row in connection.execute(query)
    ]


def take(connection: Connection, key: str, now: datetime, until: datetime) -> bool:
    """Keep others from trying an announcement for a while; return whether nobody else does."""
    taken = connection.execute(
        update(table)
        .where(table.c.key == key, table.c.status == PENDING, table.c.not_before <= now)
        .values(not_before=until)
    )
    return taken.rowcount == 1


def close(connection: Connection, key: str, status: str, at: datetime, error: str = "") -> None:
    """Note that an announcement is `done` or `failed`."""
    values = {"status": status, "done_at": at, "error": error}
    connection.execute(
        update(table).where(table.c.key == key, table.c.status == PENDING).values(values)
    )


def postpone(connection: Connection, key: str, not_before: datetime, error: str) -> None:
    """Note a failed try and when the next one may be."""
    values = {"attempts": table.c.attempts + 1, "not_before": not_before, "error": error}
    connection.execute(
        update(table).where(table.c.key == key, table.c.status == PENDING).values(values)
    )
