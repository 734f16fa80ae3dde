"""What still has to be done to the outside world, and what has been done?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, select, update

from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.effect import External
from flagstaff.store.tables import effect as table
from flagstaff.store.upsert import insert_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One effect waiting in the outbox; `attempts` counts the tries that failed."""

    rollout_id: int
    effect: External
    attempts: int


def add(connection: Connection, rollout_id: int, effects: Iterable[External], at: datetime) -> None:
    """Put effects into the outbox; one whose key is there already is the same one."""
    for each in effects:
        row = {
            "key": each.key,
            "rollout_id": rollout_id,
            "step": each.step,
            "body": encode(each, External),
            "status": "pending",
            "attempts": 0,
            "not_before": at,
            "error": "",
            "created_at": at,
            "done_at": None,
        }
        insert_new(connection, table, row)


def due(connection: Connection, now: datetime, *, limit: int = 50) -> list[str]:
    """Return the keys of what may be tried now, the longest due first."""
    query = (
        select(table.c.key)
        .where(table.c.status == "pending", table.c.not_before <= now)
        .order_by(table.c.not_before, table.c.created_at, table.c.key)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def get(connection: Connection, key: str) -> Outgoing | None:
    """Return the effect with this key, or `None`."""
    row = connection.execute(select(table).where(table.c.key == key)).first()
    return _outgoing(row) if row else None


def is_pending(connection: Connection, key: str) -> bool:
    """Return whether the effect has neither happened nor been given up."""
    query = select(table.c.status).where(table.c.key == key)
    return connection.execute(query).scalar() == "pending"


def close(connection: Connection, key: str, status: str, at: datetime, error: str = "") -> None:
    """Note that an effect is `done`, `failed` or `abandoned`."""
    values = {"status": status, "done_at": at, "error": error}
    connection.execute(update(table).where(table.c.key == key).values(values))


def postpone(connection: Connection, key: str, not_before: datetime, error: str) -> None:
    """Note a failed try and when the next one may be."""
    values = {"attempts": table.c.attempts + 1, "not_before": not_before, "error": error}
    connection.execute(update(table).where(table.c.key == key).values(values))


def abandon(
    connection: Connection, rollout_id: int, at: datetime, *, step: str | None = None
) -> None:
    """Give up everything a rollout, or one of its steps, still wanted."""
    statement = update(table).where(table.c.rollout_id == rollout_id, table.c.status == "pending")
    if step is not None:
        statement = statement.where(table.c.step == step)
    connection.execute(statement.values(status="abandoned", done_at=at))


def _outgoing(row: Row[Any]) -> Outgoing:
    effect = decode(row.body, cast("type[External]", External))
    return Outgoing(rollout_id=row.rollout_id, effect=effect, attempts=row.attempts)
