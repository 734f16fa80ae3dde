"""What was said and done at issues on forges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
compatible_from = "0012"  # an older server cannot read a rollout as this version writes it


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    op.create_table(
        "forge_note",
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("note", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_forge_note"),
    )
