"""What each guard said, poll by poll."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
compatible_from = "0012"  # an older server keeps no history of evidence, and needs none


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    op.create_table(
        "evidence",
        sa.Column("rollout_id", sa.Integer(), nullable=False),
        sa.Column("guard", sa.Text(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("poll", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("percentage", sa.Float(), nullable=False),
        sa.Column("standing", sa.String(20), nullable=False),
        sa.Column("treatment_total", sa.BigInteger(), nullable=False),
        sa.Column("treatment_bad", sa.BigInteger(), nullable=False),
        sa.Column("control_total", sa.BigInteger(), nullable=False),
        sa.Column("control_bad", sa.BigInteger(), nullable=False),
        sa.Column("ratio", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("harm", sa.Float(), nullable=False),
        sa.Column("harm_limit", sa.Float(), nullable=False),
        sa.Column("safe", sa.Float(), nullable=False),
        sa.Column("safe_limit", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", "guard", "began", "slot", name="pk_evidence"),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name="fk_evidence_rollout_id"),
        sqlite_with_rowid=False,
    )
