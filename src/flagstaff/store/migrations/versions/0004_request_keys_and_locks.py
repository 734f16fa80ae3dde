"""Requests may carry a key and are then carried out once; people may lock an environment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
compatible_from = "0004"  # an older server would change what is locked

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    op.create_table(
        "request_key",
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("answer", sa.JSON, nullable=True),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("who", "key", name="pk_request_key"),
    )
    op.create_index("ix_request_key_at", "request_key", ["at"])
    op.create_table(
        "change_lock",
        sa.Column("environment", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("until", Moment, nullable=True),
        sa.PrimaryKeyConstraint("environment", "kind", name="pk_change_lock"),
    )
