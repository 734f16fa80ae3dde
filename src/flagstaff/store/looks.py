"""When is each rollout looked at next, and which replica does it?

Whoever claims a row gets a lease on it and a new fencing token, and writes only while the token is
still the row's. `wake_seq` counts reasons to look again: a look that ends sets its own time for the
next one only if nobody has woken the rollout since it began.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    Connection,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from flagstaff.store.leases import Claimant, ends, is_free
from flagstaff.store.tables import ACTIVE, Moment
from flagstaff.store.tables import look as table
from flagstaff.store.tables import rollout as rollout_table
from flagstaff.store.upsert import upsert

AT_ONCE: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Earlier than any clock: whoever is woken comes before those whose time has come."""

CODE: Final = 1
"""What this version can read and run.

A version that writes what older ones cannot go on with counts one more, and `min_code` of the
rollouts it moves keeps the older ones from them.
"""

OURS: Final = (
    table.c.rollout_id == bindparam("rollout"),
    table.c.lease_token == bindparam("token"),
)
HOLD: Final = update(table).where(*OURS).values(min_code=CODE)
RELEASE: Final = (
    update(table)
    .where(*OURS)
    .values(
        next_look_at=case(
            (table.c.wake_seq == bindparam("seen"), bindparam("at", type_=Moment)),
            else_=table.c.next_look_at,
        ),
        check_at=bindparam("check", type_=Moment),
        waits_for=bindparam("waits"),
        lease_owner="",
        lease_until=null(),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A row that this process has claimed."""

    rollout_id: int
    next_look_at: datetime
    check_at: datetime | None
    wake_seq: int
    lease_token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a look that ends leaves; `at` is `None` where nobody needs to look again."""

    rollout_id: int
    lease_token: int
    wake_seq: int
    at: datetime | None
    check_at: datetime | None
    waits_for: str


def is_any_due(connection: Connection, claimant: Claimant, now: datetime) -> bool:
    """Return whether there is anything to claim, which is asked far more often than there is."""
    query = select(table.c.rollout_id).where(*_due(connection, claimant, now)).limit(1)
    return connection.execute(query).first() is not None


def claim(connection: Connection, claimant: Claimant, now: datetime, *, limit: int) -> list[Due]:
    """Take what is due and nobody's, at most `limit`, those first that wait longest.

    The rows are chosen before any is changed: a sub-select could be evaluated again for rows that
    change meanwhile, and take more than the limit.
    """
    due = (
        select(table.c.rollout_id)
        .where(*_due(connection, claimant, now))
        .order_by(table.c.next_look_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    rows = connection.execute(
        update(table)
        .where(table.c.rollout_id.in_(select(due.c.rollout_id)))
        .values(
            lease_owner=claimant.name,
            lease_until=ends(connection, claimant),
            lease_token=table.c.lease_token + 1,
        )
        .returning(
            table.c.rollout_id,
            table.c.next_look_at,
            table.c.check_at,
            table.c.wake_seq,
            table.c.lease_token,
        )
    )
    found = [Due(**row) for row in rows.mappings()]
    return sorted(found, key=lambda each: (each.next_look_at, each.rollout_id))


def release(connection: Connection, releases: Sequence[Release]) -> None:
    """End looks, each unless its lease is somebody else's by now.

    In the order in which leases are prolonged, so that two of these do not wait for each other.
    """
    if not releases:
        return
    rows = [
        {
            "rollout": each.rollout_id,
            "token": each.lease_token,
            "seen": each.wake_seq,
            "at": each.at,
            "check": each.check_at,
            "waits": each.waits_for,
        }
        for each in sorted(releases, key=lambda release: release.rollout_id)
    ]
    connection.execute(RELEASE, rows)


def renew(
    connection: Connection, claimant: Claimant, tokens: Collection[tuple[int, int]]
) -> set[int]:
    """Prolong leases, given as numbers and tokens; return the rollouts that are still ours."""
    kept = set()
    for number, token in sorted(tokens):
        renewed = connection.execute(
            update(table)
            .where(table.c.rollout_id == number, table.c.lease_token == token)
            .values(lease_until=ends(connection, claimant))
        )
        if renewed.rowcount:
            kept.add(number)
    return kept


def add(connection: Connection, rollout_id: int) -> None:
    """Write the row of a new rollout, which nobody looks at before it is begun."""
    upsert(connection, table, _row(rollout_id, at=None))


def holds(connection: Connection, rollout_id: int, token: int) -> bool:
    """Return whether the token is still the row's, and keep it so until this transaction ends."""
    return connection.execute(HOLD, {"rollout": rollout_id, "token": token}).rowcount == 1


def wake(connection: Connection, rollout_id: int) -> None:
    """Have a rollout looked at at once, whatever an engine is about with it."""
    woken = connection.execute(
        update(table)
        .where(table.c.rollout_id == rollout_id)
        .values(next_look_at=AT_ONCE, wake_seq=table.c.wake_seq + 1, min_code=CODE)
    )
    if not woken.rowcount:
        upsert(connection, table, _row(rollout_id, at=AT_ONCE))


def wake_waiting(connection: Connection, facts: Collection[str]) -> None:
    """Wake the rollouts that wait for one of the facts, and are not awake already.

    Rows that somebody writes at this moment are left alone: waiting for them could make two wait
    for each other, and who waits for facts looks for them now and then in any case.
    """
    rows = (
        select(table.c.rollout_id)
        .where(*_waiting(facts))
        .with_for_update(skip_locked=True)
        .cte("waiting")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    connection.execute(
        update(table)
        .where(table.c.rollout_id.in_(select(rows.c.rollout_id)))
        .values(next_look_at=AT_ONCE, wake_seq=table.c.wake_seq + 1)
    )


def is_any_waiting(connection: Connection, facts: Collection[str]) -> bool:
    """Return whether any rollout waits for one of the facts."""
    query = select(table.c.rollout_id).where(*_waiting(facts)).limit(1)
    return connection.execute(query).first() is not None


def sweep(connection: Connection) -> None:
    """Give a row to every rollout that has none: a version that knew of no rows began it."""
    missing = select(
        rollout_table.c.id,
        literal(AT_ONCE, Moment),
        literal(""),
        literal(0),
        literal(CODE),
        literal(""),
        literal(0),
    ).where(ACTIVE, ~exists().where(table.c.rollout_id == rollout_table.c.id))
    names = [
        "rollout_id",
        "next_look_at",
        "waits_for",
        "wake_seq",
        "min_code",
        "lease_owner",
        "lease_token",
    ]
    connection.execute(insert(table).from_select(names, missing))


def wake_all(connection: Connection) -> None:
    """Have every rollout that is not over looked at at once."""
    active = select(rollout_table.c.id).where(ACTIVE)
    connection.execute(
        update(table)
        .where(table.c.rollout_id.in_(active))
        .values(next_look_at=AT_ONCE, wake_seq=table.c.wake_seq + 1)
    )


def break_leases(connection: Connection) -> None:
    """Forget the leases of processes that are gone; only for whoever is alone on the database."""
    connection.execute(update(table).values(lease_owner="", lease_until=null()))


def next_look_at(connection: Connection, rollout_id: int) -> datetime | None:
    """Return when a rollout is to be looked at; `None` is never."""
    query = select(table.c.next_look_at).where(table.c.rollout_id == rollout_id)
    return connection.execute(query).scalar_one_or_none()


def late(connection: Connection, now: datetime) -> tuple[int, datetime | None]:
    """Return how many rollouts wait for a look whose time has come, and since when the first."""
    query = select(func.count(), func.min(table.c.next_look_at)).where(
        table.c.next_look_at <= now, table.c.next_look_at > AT_ONCE
    )
    count, first = connection.execute(query).one()
    return count, first


def _due(connection: Connection, claimant: Claimant, now: datetime) -> tuple[Any, ...]:
    return (
        table.c.next_look_at <= now,
        is_free(connection, table, claimant),
        table.c.min_code <= CODE,
    )


def _waiting(facts: Collection[str]) -> tuple[Any, ...]:
    """Return what holds for rows that wait, and for those being looked at, maybe too early."""
    waits = or_(*(table.c.waits_for.contains(each, autoescape=True) for each in facts))
    return (waits, or_(table.c.next_look_at > AT_ONCE, table.c.lease_owner != ""))


def _row(rollout_id: int, *, at: datetime | None) -> dict[str, Any]:
    return {
        "rollout_id": rollout_id,
        "next_look_at": at,
        "check_at": None,
        "waits_for": "",
        "wake_seq": 1,
        "min_code": CODE,
        "lease_owner": "",
        "lease_until": None,
        "lease_token": 0,
    }
