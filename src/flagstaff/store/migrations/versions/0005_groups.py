"""Accounts that a single sign-on made, whose roles follow the person's groups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
compatible_from = "0004"  # one that does not know the column leaves it at its default


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    op.add_column(
        "person",
        sa.Column("follows_groups", sa.Boolean, nullable=False, server_default=sa.false()),
    )
