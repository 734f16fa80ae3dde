"""How is a row written whether or not it is there already, on both databases?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert the row, or overwrite the one with the same primary key."""
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in row.items() if name not in keys}
    statement = inserting(connection, table).values(**row)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest))


def upsert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each or overwrite the one with the same primary key; all name every column."""
    if rows:
        connection.execute(_overwriting(connection.dialect.name, table), rows)


@cache  # making it and looking up what it compiles to takes longer than writing a few rows
def _overwriting(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    statement = _inserting(dialect, table)
    rest = {each.name: statement.excluded[each.name] for each in table.c if not each.primary_key}
    return statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=rest)


def insert_new(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert the row unless one with its key is there; return whether it was inserted."""
    statement = inserting(connection, table).values(**row).on_conflict_do_nothing()
    # Without the option, PostgreSQL's driver has forgotten the number by the time it is asked for.
    kept = statement.execution_options(preserve_rowcount=True)
    return connection.execute(kept).rowcount == 1


def inserting(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return the database's own `INSERT`, the one that knows `ON CONFLICT`."""
    return _inserting(connection.dialect.name, table)


def _inserting(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
