"""Where does each rollout stand?

A row carries its `revision`; whoever writes names the one they read, so nobody overwrites what they
have not seen. An engine's writes need its lease besides; see `store.looks`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from flagstaff.commands.codec import decode, encode
from flagstaff.commands.model import HIGHEST
from flagstaff.errors import Conflict
from flagstaff.rollouts.guard import Judgement
from flagstaff.rollouts.rollout import Rollout
from flagstaff.store import looks
from flagstaff.store.tables import ACTIVE
from flagstaff.store.tables import look as look_table
from flagstaff.store.tables import rollout as table

WITH_TOKENS = select(table, look_table.c.lease_token).outerjoin(
    look_table, look_table.c.rollout_id == table.c.id
)
SAVE: Final = update(table).where(
    table.c.id == bindparam("number"), table.c.revision == bindparam("seen")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRecord:
    """A rollout with its issue and the latest readings of its guards.

    `lease_token` is the fencing token of the lease under which it was read, if under any.
    """

    rollout: Rollout
    issue_path: str
    issue_text: str
    readings: tuple[Judgement, ...]
    revision: int
    created_at: datetime
    created_by: str
    lease_token: int = field(default=0, compare=False)


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
    looks.add(connection, number)
    return replace(record, rollout=numbered, revision=1)


def get(connection: Connection, number: int, *, lock: bool = False) -> RolloutRecord | None:
    """Return the rollout with this number; `lock` keeps others from writing it meanwhile."""
    if not 1 <= number <= HIGHEST:
        return None
    query = WITH_TOKENS.where(table.c.id == number)
    row = connection.execute(query.with_for_update(of=table) if lock else query).first()
    return _record(row) if row else None


def load(
    connection: Connection, numbers: Collection[int], known: Mapping[int, RolloutRecord]
) -> tuple[dict[int, RolloutRecord], dict[int, Exception]]:
    """Return rollouts, and what is wrong with those that cannot be read.

    Those in `known` are not read again if their revision is still the same.
    """
    query = select(table.c.id, table.c.revision).where(table.c.id.in_(numbers))
    found, broken, changed = {}, {}, []
    for number, revision in connection.execute(query):
        before = known.get(number)
        if before is not None and before.revision == revision:
            found[number] = before
        else:
            changed.append(number)
    rows = connection.execute(WITH_TOKENS.where(table.c.id.in_(changed))).all() if changed else ()
    for row in rows:
        try:
            found[row.id] = _record(row)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the others can be read
            broken[row.id] = exc
    return found, broken


def find(
    connection: Connection,
    *,
    active: bool = False,
    flag: str | None = None,
    below: int | None = None,
    limit: int = 200,
) -> list[RolloutRecord]:
    """Return rollouts, newest first."""
    query = WITH_TOKENS.order_by(table.c.id.desc()).limit(limit)
    if active:
        query = query.where(ACTIVE)
    if flag is not None:
        query = query.where(table.c.flag == flag)
    if below is not None:
        query = query.where(table.c.id < below)
    return [_record(row) for row in connection.execute(query)]


def active_by_flag(connection: Connection, flag: str | None = None) -> dict[str, int]:
    """Return the number of the rollout that is not over, for each flag that has one."""
    query = select(table.c.flag, table.c.id).where(ACTIVE)
    if flag is not None:
        query = query.where(table.c.flag == flag)
    return {row.flag: row.id for row in connection.execute(query)}


def active_numbers(connection: Connection, *, with_file: bool = False) -> list[int]:
    """Return the numbers of the rollouts that are not over, oldest first.

    With `with_file`, only of those whose issue is a file.
    """
    query = select(table.c.id).where(ACTIVE).order_by(table.c.id)
    if with_file:
        path = table.c.issue_path
        query = query.where(path != "", ~path.istartswith("http://"), ~path.istartswith("https://"))
    return list(connection.execute(query).scalars())


def active_flags(connection: Connection) -> frozenset[str]:
    """Return the flags of the rollouts that are not over."""
    return frozenset(connection.execute(select(table.c.flag).where(ACTIVE)).scalars())


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


def save(
    connection: Connection,
    record: RolloutRecord,
    rollout: Rollout,
    *,
    issue: str | None = None,
    leased: bool = False,
) -> RolloutRecord | None:
    """Write the rollout and the readings of `record` over its revision.

    With `issue`, that is the text of its issue from now on. Whoever writes without being `leased`
    wakes the engines. Returns `None` if somebody was faster, or has the lease by now.
    """
    if leased and not looks.holds(connection, rollout.id, record.lease_token):
        return None
    values: dict[str, Any] = {
        "phase": rollout.phase.value,
        "body": encode(rollout),
        "readings": [encode(each) for each in record.readings],
        "revision": record.revision + 1,
    }
    text = record.issue_text if issue is None else issue
    if text != record.issue_text:
        values["issue_text"] = text
    where = {"number": rollout.id, "seen": record.revision}
    written = connection.execute(SAVE, {**where, **values})
    if written.rowcount != 1:
        return None
    if not leased:
        looks.wake(connection, rollout.id)
    return replace(record, rollout=rollout, issue_text=text, revision=record.revision + 1)


def _record(row: Row[Any]) -> RolloutRecord:
    return RolloutRecord(
        rollout=decode(row.body, Rollout),
        issue_path=row.issue_path,
        issue_text=row.issue_text,
        readings=tuple(decode(each, Judgement) for each in row.readings),
        revision=row.revision,
        created_at=row.created_at,
        created_by=row.created_by,
        lease_token=row.lease_token or 0,
    )
