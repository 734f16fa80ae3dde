"""Others are told of each change of a flag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"
compatible_from = "0007"  # an older server tells nobody, and changes nothing for those who do

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    op.create_table(
        "side_effect",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", Moment, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_side_effect"),
    )
    op.create_index("ix_side_effect_not_before", "side_effect", ["not_before"])
