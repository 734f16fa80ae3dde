"""Which gates does each flag have in each environment?"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Text, cast, delete, select

from flagstaff.flags.gates import Gates
from flagstaff.store.tables import environment as environment_table
from flagstaff.store.tables import flag_state
from flagstaff.store.upsert import inserting, upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagState:
    """One flag in one environment, with who changed it last."""

    environment: str
    flag: str
    gates: Gates
    updated_at: datetime
    updated_by: str


_STATES = select(
    flag_state.c.environment,
    flag_state.c.flag,
    cast(flag_state.c.gates, Text),
    flag_state.c.updated_at,
    flag_state.c.updated_by,
)


def get(connection: Connection, environment: str, flag: str) -> FlagState | None:
    """Return the flag's state, or `None` when it was never set there or was deleted."""
    row = connection.execute(
        _STATES.where(flag_state.c.environment == environment, flag_state.c.flag == flag)
    ).first()
    return _state(row) if row else None


def of_flags(connection: Connection, flags: Collection[str]) -> dict[tuple[str, str], FlagState]:
    """Return the states of these flags, at most a few hundred, by flag and environment."""
    query = _STATES.where(flag_state.c.flag.in_(flags))
    states = map(_state, connection.execute(query))
    return {(each.flag, each.environment): each for each in states}


def find(
    connection: Connection, *, environment: str | None = None, flag: str | None = None
) -> list[FlagState]:
    """Return the states of one environment, of one flag, or all, by name."""
    query = _STATES.order_by(flag_state.c.flag, flag_state.c.environment)
    if environment is not None:
        query = query.where(flag_state.c.environment == environment)
    if flag is not None:
        query = query.where(flag_state.c.flag == flag)
    return [_state(row) for row in connection.execute(query)]


def lock(connection: Connection, environments: Iterable[str]) -> None:
    """Keep others from changing flags in the environments until this transaction ends.

    Whoever writes gates from gates they have read must lock first; always in order of the names, so
    that two writers cannot wait for each other.
    """
    for name in sorted(set(environments)):
        statement = inserting(connection, environment_table).values(name=name, version=0)
        same = {"version": environment_table.c.version}
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=same))


def put(connection: Connection, state: FlagState) -> None:
    """Write the flag's state and give its environment a new version."""
    upsert(
        connection,
        flag_state,
        {
            "environment": state.environment,
            "flag": state.flag,
            "gates": state.gates.to_json(),
            "updated_at": state.updated_at,
            "updated_by": state.updated_by,
        },
    )
    bump(connection, state.environment)


def remove(connection: Connection, environment: str, flag: str) -> bool:
    """Delete the flag's state; return whether there was one."""
    found = connection.execute(
        delete(flag_state).where(flag_state.c.environment == environment, flag_state.c.flag == flag)
    )
    if found.rowcount:
        bump(connection, environment)
    return bool(found.rowcount)


def version(connection: Connection, environment: str) -> int:
    """Return how many changes the environment has seen."""
    query = select(environment_table.c.version).where(environment_table.c.name == environment)
    return connection.execute(query).scalar() or 0


def bump(connection: Connection, environment: str) -> None:
    """Give the environment a new version."""
    statement = inserting(connection, environment_table).values(name=environment, version=1)
    grown = {"version": environment_table.c.version + 1}
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=grown))


def _state(row: Sequence[Any]) -> FlagState:
    return FlagState(
        environment=row[0],
        flag=row[1],
        gates=_gates(row[2]),
        updated_at=row[3],
        updated_by=row[4],
    )


@lru_cache(maxsize=4_096)
def _gates(text: str) -> Gates:
    """Return the gates that were kept: those of most flags read alike, and are read often."""
    return Gates.from_json(json.loads(text))
