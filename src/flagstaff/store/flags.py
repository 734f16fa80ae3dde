"""Which gates does each flag have in each environment?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, select

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


def get(connection: Connection, environment: str, flag: str) -> FlagState | None:
    """Return the flag's state, or `None` when it was never set there or was deleted."""
    row = (
        connection.execute(
            select(flag_state).where(
                flag_state.c.environment == environment, flag_state.c.flag == flag
            )
        )
        .mappings()
        .first()
    )
    return _state(row) if row else None


def of_flags(connection: Connection, flags: Collection[str]) -> dict[tuple[str, str], FlagState]:
    """Return the states of these flags, at most a few hundred, by flag and environment."""
    query = select(flag_state).where(flag_state.c.flag.in_(flags))
    states = map(_state, connection.execute(query).mappings())
    return {(each.flag, each.environment): each for each in states}


def find(
    connection: Connection, *, environment: str | None = None, flag: str | None = None
) -> list[FlagState]:
    """Return the states of one environment, of one flag, or all, by name."""
    query = select(flag_state).order_by(flag_state.c.flag, flag_state.c.environment)
    if environment is not None:
        query = query.where(flag_state.c.environment == environment)
    if flag is not None:
        query = query.where(flag_state.c.flag == flag)
    return [_state(row) for row in connection.execute(query).mappings()]


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


def _state(row: RowMapping) -> FlagState:
    return FlagState(
        environment=row["environment"],
        flag=row["flag"],
        gates=Gates.from_json(row["gates"]),
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
    )
