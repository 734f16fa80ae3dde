"""Who did what, when and why?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from flagstaff.store.tables import audit as table


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done; `before` and `after` are gates as JSON, `None` for not set."""

    id: int = 0
    at: datetime
    who: str
    source: str
    action: str
    flag: str = ""
    environment: str = ""
    rollout_id: int | None = None
    step: str = ""
    before: Any = None
    after: Any = None
    text: str = ""
    reason: str = ""


def add(connection: Connection, entry: AuditEntry) -> None:
    """Append an entry."""
    values = asdict(entry)
    del values["id"]
    connection.execute(insert(table).values(values))


def first_who(connection: Connection, rollout_id: int, action: str) -> str:
    """Return who did this first to the rollout, empty when nobody has."""
    query = select(table.c.who).where(table.c.rollout_id == rollout_id, table.c.action == action)
    return connection.execute(query.order_by(table.c.id).limit(1)).scalar() or ""


def find(
    connection: Connection,
    *,
    flag: str | None = None,
    rollout_id: int | None = None,
    limit: int = 200,
) -> list[AuditEntry]:
    """Return entries, newest first."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if flag is not None:
        query = query.where(table.c.flag == flag)
    if rollout_id is not None:
        query = query.where(table.c.rollout_id == rollout_id)
    return [AuditEntry(**row) for row in connection.execute(query).mappings()]
