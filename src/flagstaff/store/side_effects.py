"""Who outside has still to be told of which change of a flag?

Rows are here as long as they are wanted: done ones are deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from flagstaff.store.tables import side_effect as table
from flagstaff.store.upsert import insert_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that is wanted; `attempts` counts the tries that were begun."""

    key: str
    kind: str
    body: Mapping[str, Any]
    attempts: int
    created_at: datetime


def add(
    connection: Connection, wanted: Iterable[tuple[str, str]], body: Mapping[str, Any], at: datetime
) -> None:
    """Put what is wanted there, as pairs of key and kind, all about the same change."""
    for key, kind in wanted:
        row = {
            "key": key,
            "kind": kind,
            "body": body,
            "attempts": 0,
            "not_before": at,
            "error": "",
            "created_at": at,
        }
        insert_new(connection, table, row)


def is_due(connection: Connection, now: datetime, kinds: Collection[str]) -> bool:
    """Return whether anything of these kinds may be tried now."""
    return connection.execute(_due(now, kinds).limit(1)).first() is not None


def take(
    connection: Connection, now: datetime, kinds: Collection[str], *, until: datetime
) -> Row | None:
    """Return what of these kinds is due the longest, and keep others from it until then."""
    query = _due(now, kinds).limit(1).with_for_update(skip_locked=True)
    found = connection.execute(query).first()
    if found is None:
        return None
    values = {"attempts": table.c.attempts + 1, "not_before": until}
    connection.execute(update(table).where(table.c.key == found.key).values(values))
    return Row(
        key=found.key,
        kind=found.kind,
        body=found.body,
        attempts=found.attempts + 1,
        created_at=found.created_at,
    )


def remove(connection: Connection, key: str) -> bool:
    """Forget what is done or given up; return whether it was there."""
    return connection.execute(delete(table).where(table.c.key == key)).rowcount > 0


def postpone(connection: Connection, key: str, not_before: datetime, error: str) -> None:
    """Note a failed try and when the next one may be."""
    values = {"not_before": not_before, "error": error}
    connection.execute(update(table).where(table.c.key == key).values(values))


def _due(now: datetime, kinds: Collection[str]) -> Any:
    return (
        select(table)
        .where(table.c.not_before <= now, table.c.kind.in_(sorted(kinds)))
        .order_by(table.c.not_before, table.c.created_at, table.c.key)
    )
