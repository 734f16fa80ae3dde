"""Who did what, when and why?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, or_, select, update

from flagstaff.commands.model import HIGHEST
from flagstaff.store.chain import digest
from flagstaff.store.tables import audit as table
from flagstaff.store.tables import audit_head as head_table


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done; `before` and `after` are gates as JSON, `None` for not set.

    `override` names the policies that were overruled. `hash` and `previous` chain the entries; see
    `store.chain`.
    """

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
    override: str = ""
    previous: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which entries are wanted; what is left out does not matter.

    Attributes:
        action: such as `flag.set`, or `flag` for all that begin so.
        since: the earliest time that counts.
        until: the first time that no longer counts.
        below: only entries with a smaller number.
        above: only entries with a larger number.
        places: only entries of these environments and deploy stages; empty is of none of them.
    """

    flag: str | None = None
    rollout_id: int | None = None
    who: str | None = None
    environment: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    below: int | None = None
    above: int | None = None
    places: tuple[str, ...] | None = None


def append(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Append entries to the chain, in their order.

    It locks the head of the chain until the transaction ends, so it has to be the last thing that a
    transaction does: then nobody who holds the head waits for anything else.
    """
    if not entries:
        return
    head = connection.execute(select(head_table).with_for_update()).one()
    previous = head.hash
    for entry in entries:
        values = asdict(entry)
        del values["id"]
        values["previous"], values["hash"] = previous, digest(values, previous)
        connection.execute(insert(table).values(values))
        previous = values["hash"]
    grown = {"entries": head.entries + len(entries), "hash": previous}
    connection.execute(update(head_table).values(grown))


def get(connection: Connection, number: int) -> AuditEntry | None:
    """Return the entry with this number."""
    if not 1 <= number <= HIGHEST:
        return None
    row = connection.execute(select(table).where(table.c.id == number)).mappings().first()
    return AuditEntry(**row) if row else None


def newest_number(connection: Connection) -> int:
    """Return the number of the newest entry, 0 when there is none."""
    return connection.execute(select(func.max(table.c.id))).scalar() or 0


def newest_at(connection: Connection) -> datetime | None:
    """Return when the last thing was done, `None` before the first."""
    return connection.execute(select(table.c.at).order_by(table.c.id.desc()).limit(1)).scalar()


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
    """Return entries of one flag, of one rollout, or all, newest first."""
    return search(connection, Search(flag=flag, rollout_id=rollout_id), limit=limit)


def search(connection: Connection, wanted: Search, *, limit: int) -> list[AuditEntry]:
    """Return the entries that are wanted, newest first."""
    query = _narrowed(select(table), wanted).order_by(table.c.id.desc()).limit(limit)
    return [AuditEntry(**row) for row in connection.execute(query).mappings()]


def newest(
    connection: Connection, flags: Collection[str], *, action: str
) -> dict[tuple[str, str], AuditEntry]:
    """Return the last entry of each flag in each environment, by both names.

    The flags are a few hundred at most; `action` is what was done, or the group of what was done.
    """
    found = _narrowed(select(func.max(table.c.id)), Search(action=action))
    found = found.where(table.c.flag.in_(flags)).group_by(table.c.flag, table.c.environment)
    rows = connection.execute(select(table).where(table.c.id.in_(found))).mappings()
    return {(row["flag"], row["environment"]): AuditEntry(**row) for row in rows}


def _narrowed(query: Select[Any], wanted: Search) -> Select[Any]:
    for column, value in (
        (table.c.flag, wanted.flag),
        (table.c.rollout_id, wanted.rollout_id),
        (table.c.who, wanted.who),
        (table.c.environment, wanted.environment),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.action is not None:
        whole = table.c.action == wanted.action
        group = table.c.action.startswith(f"{wanted.action}.", autoescape=True)
        query = query.where(or_(whole, group))
    if wanted.since is not None:
        query = query.where(table.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(table.c.at < wanted.until)
    if wanted.below is not None:
        query = query.where(table.c.id < wanted.below)
    if wanted.above is not None:
        query = query.where(table.c.id > wanted.above)
    if wanted.places is not None:
        query = query.where(table.c.environment.in_(wanted.places))
    return query
