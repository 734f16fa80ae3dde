"""What is remembered of each flag's life, beside its gates?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from flagstaff.store.tables import audit
from flagstaff.store.tables import flag_life as table
from flagstaff.store.upsert import insert_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One flag's life.

    Attributes:
        first_seen: when Flagstaff first met it.
        introduced_at: when history says that its definition came, `None` when it does not.
        exposed_at: when an application last asked for it, to the hour.
        due_at: when it has to be gone, by a rollout or by a person.
        due_by: who settled that; empty for the rollout that reached 100 %.
        reminded: the stage of the last reminder.
    """

    flag: str
    first_seen: datetime
    introduced_at: datetime | None = None
    exposed_at: datetime | None = None
    due_at: datetime | None = None
    due_by: str = ""
    due_reason: str = ""
    due_rollout: int | None = None
    reminded: str = ""


def get(connection: Connection, flag: str) -> Life | None:
    """Return what is remembered of a flag."""
    row = connection.execute(select(table).where(table.c.flag == flag)).mappings().first()
    return Life(**row) if row else None


def find(connection: Connection, flags: Collection[str] | None = None) -> dict[str, Life]:
    """Return what is remembered of every flag, or of these few hundred, by name."""
    query = select(table) if flags is None else select(table).where(table.c.flag.in_(flags))
    rows = connection.execute(query)
    names = tuple(rows.keys())
    lives = (Life(**dict(zip(names, row, strict=True))) for row in rows)
    return {each.flag: each for each in lives}


def note(connection: Connection, flag: str, now: datetime, **changes: Any) -> None:
    """Remember something of a flag; what is not named stays as it is."""
    first = {"due_by": "", "due_reason": "", "reminded": "", "first_seen": now}
    if insert_new(connection, table, {"flag": flag, **first, **changes}) or not changes:
        return
    connection.execute(update(table).where(table.c.flag == flag).values(**changes))


def claim_reminder(connection: Connection, flag: str, before: str, stage: str) -> bool:
    """Remember that a stage is told; return false if somebody else was faster."""
    found = connection.execute(
        update(table).where(table.c.flag == flag, table.c.reminded == before).values(reminded=stage)
    )
    return found.rowcount == 1


def note_exposure(connection: Connection, flag: str, at: datetime) -> None:
    """Remember when a flag was asked for, unless it was so later."""
    note(connection, flag, at)
    earlier = or_(table.c.exposed_at.is_(None), table.c.exposed_at < at)
    connection.execute(update(table).where(table.c.flag == flag, earlier).values(exposed_at=at))


def removals(connection: Connection) -> Mapping[tuple[str, str], datetime]:
    """Return when a flag's state was last removed, by flag and environment."""
    query = (
        select(audit.c.flag, audit.c.environment, func.max(audit.c.at).label("at"))
        .where(audit.c.action.startswith("flag."), audit.c.after.is_(None))
        .group_by(audit.c.flag, audit.c.environment)
    )
    # The aggregate of a `Moment` is one too, so it comes back with its zone.
    return {(row.flag, row.environment): row.at for row in connection.execute(query)}
