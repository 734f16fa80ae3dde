"""Where does each rollout stand?

A row carries its `revision`; whoever writes names the one they read, so nobody overwrites what they
have not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from flagstaff.commands.codec import decode, encode
from flagstaff.commands.model import HIGHEST
from flagstaff.errors import Conflict
from flagstaff.rollouts.guard import Judgement
from flagstaff.rollouts.rollout import Rollout
from flagstaff.store.tables import ACTIVE
from flagstaff.store.tables import rollout as table


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRecord:
    """A rollout with its issue and the latest readings of its guards."""

    rollout: Rollout
    issue_path: str
    issue_text: str
    readings: tuple[Judgement, ...]
    revision: int
    created_at: datetime
    created_by: str


def add(connection: Connection, record: RolloutRecord) -> RolloutRecord:
    """Write a new rollout and return it with its number.

    Raises:
        Conflict: the flag has another rollout that is not over; this transaction is spoilt.
    """
    values: dict[str, Any] = {
        "flag": record.rollout.plan.flag,
        "phase": record.rollout.phase.value,
        "body": {},
        "issue_path": record.issue_path,
        "issue_text": record.issue_text,
        "readings": [],
        "revision": 1,
        "created_at": record.created_at,
        "created_by": record.created_by,
    }
    statement = insert(table).values(values).returning(table.c.id)
    try:
        number = connection.execute(statement).scalar_one()
    except IntegrityError as exc:
        raise Conflict(
            f"another rollout of {record.rollout.plan.flag} has just been imported",
            hint="see it with: flagstaff rollout list",
        ) from exc
    numbered = replace(record.rollout, id=number)
    connection.execute(update(table).where(table.c.id == number).values(body=encode(numbered)))
    return replace(record, rollout=numbered, revision=1)


def get(connection: Connection, number: int, *, lock: bool = False) -> RolloutRecord | None:
    """Return the rollout with this number; `lock` keeps others from writing it meanwhile."""
    if not 1 <= number <= HIGHEST:
        return None
    query = select(table).where(table.c.id == number)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return _record(row) if row else None


def find(
    connection: Connection,
    *,
    active: bool = False,
    flag: str | None = None,
    below: int | None = None,
    limit: int = 200,
) -> list[RolloutRecord]:
    """Return rollouts, newest first."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    if active:
        query = query.where(ACTIVE)
    if flag is not None:
        query = query.where(table.c.flag == flag)
    if below is not None:
        query = query.where(table.c.id < below)
    return [_record(row) for row in connection.execute(query)]


def active_numbers(connection: Connection) -> list[int]:
    """Return the numbers of the rollouts that are not over, oldest first."""
    return list(connection.execute(select(table.c.id).where(ACTIVE).order_by(table.c.id)).scalars())


def recent_numbers(connection: Connection, *, limit: int) -> list[int]:
    """Return the numbers of the newest rollouts, newest first."""
    query = select(table.c.id).order_by(table.c.id.desc()).limit(limit)
    return list(connection.execute(query).scalars())


def put_issue(connection: Connection, number: int, address: str) -> None:
    """Note where the rollout's issue is; that moves nothing, so the revision stays."""
    connection.execute(update(table).where(table.c.id == number).values(issue_path=address))


def of_issue(connection: Connection, address: str) -> int | None:
    """Return the number of the rollout of this issue that is not over, if there is one."""
    query = select(func.max(table.c.id)).where(table.c.issue_path == address, ACTIVE)
    return connection.execute(query).scalar()


def newest_of(connection: Connection, issue_path: str) -> int | None:
    """Return the number of the newest rollout of the issue at this path."""
    query = select(func.max(table.c.id)).where(table.c.issue_path == issue_path)
    return connection.execute(query).scalar()


def save(connection: Connection, record: RolloutRecord, rollout: Rollout) -> RolloutRecord | None:
    """Write the rollout and the readings of `record` over its revision.

    Returns `None` if somebody was faster.
    """
    values = {
        "phase": rollout.phase.value,
        "body": encode(rollout),
        "readings": [encode(each) for each in record.readings],
        "revision": record.revision + 1,
    }
    written = connection.execute(
        update(table)
        .where(table.c.id == rollout.id, table.c.revision == record.revision)
        .values(values)
    )
    if written.rowcount != 1:
        return None
    return replace(record, rollout=rollout, revision=record.revision + 1)


def _record(row: Row[Any]) -> RolloutRecord:
    return RolloutRecord(
        rollout=decode(row.body, Rollout),
        issue_path=row.issue_path,
        issue_text=row.issue_text,
        readings=tuple(decode(each, Judgement) for each in row.readings),
        revision=row.revision,
        created_at=row.created_at,
        created_by=row.created_by,
    )
