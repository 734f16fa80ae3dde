"""What is remembered of a flag's life, and announcements that belong to no rollout."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
compatible_from = "0007"  # an older server reminds nobody, and needs no memory of it


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "flag_life",
        sa.Column("flag", sa.String(255), nullable=False),
        sa.Column("first_seen", moment, nullable=False),
        sa.Column("introduced_at", moment, nullable=True),
        sa.Column("exposed_at", moment, nullable=True),
        sa.Column("due_at", moment, nullable=True),
        sa.Column("due_by", sa.String(255), nullable=False),
        sa.Column("due_reason", sa.Text, nullable=False),
        sa.Column("due_rollout", sa.Integer, nullable=True),
        sa.Column("reminded", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("flag", name="pk_flag_life"),
    )
    op.create_table(
        "notice",
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", moment, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("done_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_notice"),
    )
    op.create_index("ix_notice_not_before", "notice", ["not_before"])
