"""Until when may one replica alone work on something?

A lease is two columns of what is worked on: whose it is, and until when. On PostgreSQL the
database's clock says what time it is, so that replicas need not agree about it; an SQLite file has
one process, whose own clock does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Interval,
    Table,
    func,
    literal,
    or_,
    update,
)

from flagstaff.store.tables import Moment, duty
from flagstaff.store.upsert import insert_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Who asks for a lease: a name that no other process has, and for how long it asks."""

    name: str
    term: timedelta
    wall: datetime


def clock(connection: Connection, claimant: Claimant) -> ColumnElement[datetime]:
    """Return what time it is for leases."""
    if connection.dialect.name == "postgresql":
        return func.clock_timestamp(type_=DateTime(timezone=True))
    return literal(claimant.wall, Moment)


def ends(connection: Connection, claimant: Claimant) -> ColumnElement[Any]:
    """Return when a lease ends that begins now."""
    if connection.dialect.name == "postgresql":
        return clock(connection, claimant) + literal(claimant.term, Interval)
    return literal(claimant.wall + claimant.term, Moment)


def is_free(connection: Connection, table: Table, claimant: Claimant) -> ColumnElement[bool]:
    """Return whether nobody else has a lease on a row of the table.

    Whoever asks has ended what they did before, so their own are left from what went wrong.
    """
    until, owner = table.c.lease_until, table.c.lease_owner
    return or_(until.is_(None), until <= clock(connection, claimant), owner == claimant.name)


def take_duty(connection: Connection, name: str, claimant: Claimant) -> bool:
    """Take a duty that one replica alone has, or keep it; return whether it is ours."""
    insert_new(connection, duty, {"name": name, "lease_owner": "", "lease_until": None})
    taken = connection.execute(
        update(duty)
        .where(duty.c.name == name, is_free(connection, duty, claimant))
        .values(lease_owner=claimant.name, lease_until=ends(connection, claimant))
    )
    return taken.rowcount == 1


def leave_duties(connection: Connection, owner: str) -> None:
    """Let others have the duties of a process that ends."""
    given_up = {"lease_owner": "", "lease_until": None}
    connection.execute(update(duty).where(duty.c.lease_owner == owner).values(given_up))
