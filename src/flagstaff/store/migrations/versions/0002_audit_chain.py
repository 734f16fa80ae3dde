"""The audit log becomes a chain that can only grow.

A later migration that makes SQLite copy the table `audit` has to make its triggers again.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from flagstaff.store.chain import FIELDS, digest
from flagstaff.store.tables import Moment

revision = "0002"
down_revision = "0001"
compatible_from = "0002"  # an older server would write entries without a hash

REFUSAL = "the audit log can only grow"


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    op.add_column(
        "audit", sa.Column("override", sa.Text, nullable=False, server_default=sa.text("''"))
    )
    for name in ("previous", "hash"):
        column = sa.Column(name, sa.String(64), nullable=False, server_default=sa.text("''"))
        op.add_column("audit", column)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    _chain()
    _close()


def _chain() -> None:
    types: dict[str, Any] = {"at": Moment, "before": sa.JSON, "after": sa.JSON, "id": sa.Integer}
    names = ("id", "previous", "hash", *FIELDS)
    table = sa.table("audit", *(sa.column(name, types.get(name, sa.Text)) for name in names))
    head = sa.table("audit_head", sa.column("id"), sa.column("entries"), sa.column("hash"))
    connection = op.get_bind()
    previous, entries = "", 0
    for row in connection.execute(sa.select(table).order_by(table.c.id)).mappings().all():
        own = digest(row, previous)
        change = sa.update(table).where(table.c.id == row["id"])
        connection.execute(change.values(previous=previous, hash=own))
        previous, entries = own, entries + 1
    connection.execute(sa.insert(head).values(id=1, entries=entries, hash=previous))


def _close() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
