"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
compatible_from = "0001"

ACTIVE = sa.text("phase NOT IN ('completed', 'rolled_back')")
PENDING = sa.text("status = 'pending'")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go one version forward; there is no way back."""
    _settings_and_flags()
    _rollouts()
    _records()


def _settings_and_flags() -> None:
    op.create_table(
        "setting",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_setting"),
    )
    op.create_table(
        "environment",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_environment"),
    )
    op.create_table(
        "flag_state",
        sa.Column("environment", sa.String(100), nullable=False),
        sa.Column("flag", sa.String(255), nullable=False),
        sa.Column("gates", sa.JSON, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("updated_by", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("environment", "flag", name="pk_flag_state"),
    )


def _rollouts() -> None:
    op.create_table(
        "rollout",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("flag", sa.String(255), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("issue_path", sa.Text, nullable=False),
        sa.Column("issue_text", sa.Text, nullable=False),
        sa.Column("readings", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rollout"),
    )
    op.create_index(
        "uq_rollout_active_flag",
        "rollout",
        ["flag"],
        unique=True,
        sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )
    op.create_table(
        "effect",
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("rollout_id", sa.Integer, nullable=False),
        sa.Column("step", sa.String(200), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", Moment, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("done_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_effect"),
        sa.ForeignKeyConstraint(["rollout_id"], ["rollout.id"], name="fk_effect_rollout_id"),
    )
    op.create_index("ix_effect_rollout_id", "effect", ["rollout_id"])
    op.create_index(
        "ix_effect_pending",
        "effect",
        ["not_before"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )


def _records() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        sa.Column("source", sa.String(50), nullable=False),
        sa.Column("action", sa.String(50), nullable=False),
        sa.Column("flag", sa.String(255), nullable=False),
        sa.Column("environment", sa.String(100), nullable=False),
        sa.Column("rollout_id", sa.Integer, nullable=True),
        sa.Column("step", sa.String(200), nullable=False),
        sa.Column("before", sa.JSON, nullable=True),
        sa.Column("after", sa.JSON, nullable=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_flag", "audit", ["flag"])
    op.create_index("ix_audit_rollout_id", "audit", ["rollout_id"])
    op.create_table(
        "deployment",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("environment", sa.String(100), nullable=False),
        sa.Column("sha", sa.String(64), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("who", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deployment"),
    )
    op.create_index("ix_deployment_environment", "deployment", ["environment"])
