"""Which environments are locked, and where is an incident open?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select

from flagstaff.store.tables import change_lock as table
from flagstaff.store.upsert import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Why nothing may open wider in an environment; `until` is None while there is no end."""

    environment: str
    kind: str
    reason: str
    who: str
    since: datetime
    until: datetime | None = None


def put(connection: Connection, lock: Lock) -> None:
    """Write a lock, in place of the one of its kind that is there."""
    upsert(connection, table, asdict(lock))


def current(connection: Connection, now: datetime) -> list[Lock]:
    """Return the locks that hold, by environment and kind."""
    holds = or_(table.c.until.is_(None), table.c.until > now)
    query = select(table).where(holds).order_by(table.c.environment, table.c.kind)
    return [Lock(**row) for row in connection.execute(query).mappings()]


def remove(connection: Connection, environment: str, kind: str) -> None:
    """Take a lock away, whether or not it holds."""
    connection.execute(
        delete(table).where(table.c.environment == environment, table.c.kind == kind)
    )
