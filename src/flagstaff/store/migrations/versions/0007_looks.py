"""When is each rollout looked at next, and which replica does it? Effects are leased alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
compatible_from = "0007"  # an older engine would do what another one is about

Moment = sa.DateTime(timezone=True)
DUE = sa.text("next_look_at IS NOT NULL")


def upgrade() -> None:
    """Go one version forward; there is no way back.

    Rollouts that are there already get their rows from the first engine that starts.
    """
    op.create_table(
        "look",
        sa.Column("rollout_id", sa.Integer, sa.ForeignKey("rollout.id", name="fk_look_rollout_id")),
        sa.Column("next_look_at", Moment, nullable=True),
        sa.Column("check_at", Moment, nullable=True),
        sa.Column("waits_for", sa.String(100), nullable=False),
        sa.Column("wake_seq", sa.Integer, nullable=False),
        sa.Column("min_code", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.String(100), nullable=False),
        sa.Column("lease_until", Moment, nullable=True),
        sa.Column("lease_token", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("rollout_id", name="pk_look"),
    )
    op.create_index("ix_look_due", "look", ["next_look_at"], sqlite_where=DUE, postgresql_where=DUE)
    op.create_table(
        "duty",
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("lease_owner", sa.String(100), nullable=False),
        sa.Column("lease_until", Moment, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_duty"),
    )
    for column in (
        sa.Column("lease_owner", sa.String(100), nullable=False, server_default=sa.text("''")),
        sa.Column("lease_until", Moment, nullable=True),
        sa.Column("lease_token", sa.Integer, nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("effect", column)
