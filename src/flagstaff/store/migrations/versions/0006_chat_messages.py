"""What was posted to chat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
compatible_from = "0004"  # an older server posts nothing to chat, and needs no memory of it


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    op.create_table(
        "chat_message",
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("channel", sa.String(100), nullable=False),
        sa.Column("ts", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_chat_message"),
    )
