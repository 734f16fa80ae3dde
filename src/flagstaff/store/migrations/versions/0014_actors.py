"""Who was asked about, and whose first failures there were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
compatible_from = "0012"  # an older server counts no actors, and passes these tables over


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    op.create_table(
        "actor_salt",
        sa.Column("rollout_id", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", name="pk_actor_salt"),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name="fk_actor_salt_rollout_id"),
    )
    op.create_table(
        "seen_actor",
        sa.Column("rollout_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(16), nullable=False),
        sa.Column("draw", sa.BigInteger(), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", "actor", name="pk_seen_actor"),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name="fk_seen_actor_rollout_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_seen_actor_draw", "seen_actor", ["rollout_id", "draw", "on"])
    op.create_table(
        "failed_actor",
        sa.Column("rollout_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(16), nullable=False),
        sa.Column("draw", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", "kind", "actor", name="pk_failed_actor"),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name="fk_failed_actor_rollout_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "actor_kind",
        sa.Column("rollout_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bare_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("rollout_id", "kind", name="pk_actor_kind"),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name="fk_actor_kind_rollout_id"),
        sqlite_with_rowid=False,
    )
