"""What still has to be done to the outside world, and what has been done?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, null, select, update

from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.effect import External
from flagstaff.store.leases import Claimant, ends, is_free
from flagstaff.store.tables import effect as table
from flagstaff.store.upsert import insert_new

FREE: Final[Mapping[str, Any]] = MappingProxyType({"lease_owner": "", "lease_until": null()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One effect waiting in the outbox; `attempts` counts the tries that failed.

    `lease_token` is the fencing token of the lease under which it is done.
    """

    rollout_id: int
    effect: External
    attempts: int
    lease_token: int = field(default=0, compare=False)


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


def due(
    connection: Connection, now: datetime, *, limit: int = 50, besides: Collection[str] = ()
) -> list[str]:
    """Return the keys of what may be tried now `besides` some, the longest due first."""
    query = (
        select(table.c.key)
        .where(table.c.status == "pending", table.c.not_before <= now, table.c.key.not_in(besides))
        .order_by(table.c.not_before, table.c.created_at, table.c.key)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def claim(
    connection: Connection, claimant: Claimant, now: datetime, *, besides: Collection[str] = ()
) -> tuple[str, int] | None:
    """Take the effect that is longest due and nobody's; return its key and fencing token.

    Those the claimant is about already are named by `besides`.
    """
    due = (
        select(table.c.key)
        .where(*_due(connection, claimant, now), table.c.key.not_in(besides))
        .order_by(table.c.not_before, table.c.created_at, table.c.key)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    taken = connection.execute(
        update(table)
        .where(table.c.key.in_(select(due.c.key)))
        .values(
            lease_owner=claimant.name,
            lease_until=ends(connection, claimant),
            lease_token=table.c.lease_token + 1,
        )
        .returning(table.c.key, table.c.lease_token)
    ).first()
    return (taken.key, taken.lease_token) if taken else None


def renew(connection: Connection, claimant: Claimant, key: str, token: int) -> bool:
    """Prolong the lease on an effect; return whether it is still ours."""
    renewed = connection.execute(
        update(table)
        .where(table.c.key == key, table.c.lease_token == token, table.c.status == "pending")
        .values(lease_until=ends(connection, claimant))
    )
    return renewed.rowcount == 1


def break_leases(connection: Connection) -> None:
    """Forget the leases of processes that are gone; only for whoever is alone on the database."""
    pending = table.c.status == "pending"
    connection.execute(update(table).where(pending).values(lease_owner="", lease_until=null()))


def get(connection: Connection, key: str) -> Outgoing | None:
    """Return the effect with this key, or `None`."""
    row = connection.execute(select(table).where(table.c.key == key)).first()
    return _outgoing(row) if row else None


def holds(connection: Connection, outgoing: Outgoing) -> bool:
    """Return whether the effect is still to be done, and still ours to do."""
    query = select(table.c.status, table.c.lease_token).where(table.c.key == outgoing.effect.key)
    row = connection.execute(query.with_for_update()).first()
    return row is not None and (row.status, row.lease_token) == ("pending", outgoing.lease_token)


def close(connection: Connection, key: str, status: str, at: datetime, error: str = "") -> None:
    """Note that an effect is `done`, `failed` or `abandoned`."""
    values = {"status": status, "done_at": at, "error": error, **FREE}
    connection.execute(update(table).where(table.c.key == key).values(values))


def postpone(connection: Connection, key: str, not_before: datetime, error: str) -> None:
    """Note a failed try and when the next one may be."""
    values = {
        "attempts": table.c.attempts + 1,
        "not_before": not_before,
        "error": error,
        **FREE,
    }
    connection.execute(update(table).where(table.c.key == key).values(values))


def put_back(connection: Connection, key: str, token: int, not_before: datetime) -> None:
    """Let others have an effect that could not even be tried."""
    ours = (table.c.key == key, table.c.lease_token == token)
    connection.execute(update(table).where(*ours).values(not_before=not_before, **FREE))


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
    return Outgoing(
        rollout_id=row.rollout_id,
        effect=effect,
        attempts=row.attempts,
        lease_token=row.lease_token,
    )


def _due(connection: Connection, claimant: Claimant, now: datetime) -> tuple[Any, ...]:
    return (
        table.c.status == "pending",
        table.c.not_before <= now,
        is_free(connection, table, claimant),
    )
