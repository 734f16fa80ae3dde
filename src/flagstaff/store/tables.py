"""Which tables are there? The same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)


class Moment(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps none of the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times and store UTC."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware time."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

setting = Table(
    "setting",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("value", JSON, nullable=False),
)

environment = Table(
    "environment",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("version", Integer, nullable=False),
)

flag_state = Table(
    "flag_state",
    metadata,
    Column("environment", String(100), primary_key=True),
    Column("flag", String(255), primary_key=True),
    Column("gates", JSON, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("updated_by", String(255), nullable=False),
)

rollout = Table(
    "rollout",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("flag", String(255), nullable=False),
    Column("phase", String(20), nullable=False),
    Column("body", JSON, nullable=False),
    Column("issue_path", Text, nullable=False),
    Column("issue_text", Text, nullable=False),
    Column("readings", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(255), nullable=False),
)

ACTIVE = text("phase NOT IN ('completed', 'rolled_back')")
"""One flag has at most one rollout that is not over: two would fight over its gates."""

Index(
    "uq_rollout_active_flag",
    rollout.c.flag,
    unique=True,
    sqlite_where=ACTIVE,
    postgresql_where=ACTIVE,
)

look = Table(
    "look",
    metadata,
    Column("rollout_id", ForeignKey("rollout.id"), primary_key=True, autoincrement=False),
    Column("next_look_at", Moment, nullable=True),
    Column("check_at", Moment, nullable=True),
    Column("waits_for", String(100), nullable=False),
    Column("wake_seq", Integer, nullable=False),
    Column("min_code", Integer, nullable=False),
    Column("lease_owner", String(100), nullable=False),
    Column("lease_until", Moment, nullable=True),
    Column("lease_token", Integer, nullable=False),
)
"""When each rollout is looked at next, and who does it; see `store.looks`.

It stands beside the rollout because it is written at every look, and a rollout is large.
"""

DUE = text("next_look_at IS NOT NULL")
Index("ix_look_due", look.c.next_look_at, sqlite_where=DUE, postgresql_where=DUE)

duty = Table(
    "duty",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("lease_owner", String(100), nullable=False),
    Column("lease_until", Moment, nullable=True),
)
"""What one replica alone does, and which."""

effect = Table(
    "effect",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("rollout_id", ForeignKey("rollout.id"), nullable=False, index=True),
    Column("step", String(200), nullable=False),
    Column("body", JSON, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Moment, nullable=False),
    Column("error", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment, nullable=True),
    Column("lease_owner", String(100), nullable=False, server_default=text("''")),
    Column("lease_until", Moment, nullable=True),
    Column("lease_token", Integer, nullable=False, server_default=text("0")),
)

PENDING = text("status = 'pending'")
Index(
    "ix_effect_pending",
    effect.c.not_before,
    sqlite_where=PENDING,
    postgresql_where=PENDING,
)

evidence = Table(
    "evidence",
    metadata,
    Column("rollout_id", ForeignKey("rollout.id"), primary_key=True, autoincrement=False),
    Column("guard", Text, primary_key=True),
    Column("began", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("poll", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("stage", Integer, nullable=False),
    Column("percentage", Float, nullable=False),
    Column("standing", String(20), nullable=False),
    Column("treatment_total", BigInteger, nullable=False),
    Column("treatment_bad", BigInteger, nullable=False),
    Column("control_total", BigInteger, nullable=False),
    Column("control_bad", BigInteger, nullable=False),
    Column("ratio", Float, nullable=True),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=True),
    Column("harm", Float, nullable=False),
    Column("harm_limit", Float, nullable=False),
    Column("safe", Float, nullable=False),
    Column("safe_limit", Float, nullable=False),
    sqlite_with_rowid=False,
)
"""What each guard said poll by poll; `began` is when watching did, in seconds: a
stage that is put back leaves what led to that. A row goes when a later poll takes its `slot`."""

actor_salt = Table(
    "actor_salt",
    metadata,
    Column("rollout_id", ForeignKey("rollout.id"), primary_key=True, autoincrement=False),
    Column("salt", String(64), nullable=False),
)
"""What ids of actors are hashed with, for each rollout whose guards count them; it goes with them
when the rollout is over, so that nobody can be looked up afterwards."""

seen_actor = Table(
    "seen_actor",
    metadata,
    Column("rollout_id", ForeignKey("rollout.id"), primary_key=True, autoincrement=False),
    Column("actor", String(16), primary_key=True),
    Column("draw", BigInteger, nullable=False),
    Column("on", Boolean, nullable=False),
    Index("ix_seen_actor_draw", "rollout_id", "draw", "on"),
    sqlite_with_rowid=False,
)
"""Who was asked about under a flag's latest draw, and on which side; rows of older draws go."""

failed_actor = Table(
    "failed_actor",
    metadata,
    Column("rollout_id", ForeignKey("rollout.id"), primary_key=True, autoincrement=False),
    Column("kind", String(40), primary_key=True),
    Column("actor", String(16), primary_key=True),
    Column("draw", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Whose first failure of a kind there was, and under which draw; it is never taken back."""

actor_kind = Table(
    "actor_kind",
    metadata,
    Column("rollout_id", ForeignKey("rollout.id"), primary_key=True, autoincrement=False),
    Column("kind", String(40), primary_key=True),
    Column("heard_at", Moment, nullable=True),
    Column("bare_at", Moment, nullable=True),
    sqlite_with_rowid=False,
)
"""In real time: when an application last said that it counts outcomes of a kind by actor, and when
one last said that it counts them without saying whose they are."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("who", String(255), nullable=False),
    Column("source", String(50), nullable=False),
    Column("action", String(50), nullable=False),
    Column("flag", String(255), nullable=False, index=True),
    Column("environment", String(100), nullable=False),
    Column("rollout_id", Integer, nullable=True, index=True),
    Column("step", String(200), nullable=False),
    Column("before", JSON(none_as_null=True), nullable=True),
    Column("after", JSON(none_as_null=True), nullable=True),
    Column("text", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("override", Text, nullable=False, server_default=text("''")),
    Column("previous", String(64), nullable=False, server_default=text("''")),
    Column("hash", String(64), nullable=False, server_default=text("''")),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entries", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""One row: how many entries there are, and the hash of the last; whoever appends locks it."""

deployment = Table(
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("environment", String(100), nullable=False, index=True),
    Column("sha", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("who", String(255), nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("email", String(255), nullable=False, index=True),
    Column("roles", JSON, nullable=False),
    Column("password", String(255), nullable=False),
    Column("subject", String(512), nullable=False, index=True),
    Column("follows_groups", Boolean, nullable=False, server_default=false()),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(255), nullable=False),
)
"""`password` is an argon2 hash or empty; `subject` names them at a single sign-on."""

credential = Table(
    "credential",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("person", String(100), nullable=False, index=True),
    Column("label", String(255), nullable=False),
    Column("roles", JSON(none_as_null=True), nullable=True),
    Column("details", JSON(none_as_null=True), nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("expires_at", Moment, nullable=True),
    Column("used_at", Moment, nullable=True),
)
"""Whatever secret lets somebody in, by its SHA-256; those that ended are deleted."""

request_key = Table(
    "request_key",
    metadata,
    Column("who", String(255), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("answer", JSON(none_as_null=True), nullable=True),
    Column("at", Moment, nullable=False, index=True),
)
"""Requests that are carried out once; `answer` is there as soon as others can see the row."""

change_lock = Table(
    "change_lock",
    metadata,
    Column("environment", String(100), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("who", String(255), nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=True),
)
"""Environments that people have locked, and those with an open incident."""

chat_message = Table(
    "chat_message",
    metadata,
    Column("key", String(400), primary_key=True),
    Column("channel", String(100), nullable=False),
    Column("ts", String(100), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)
"""What was posted to chat, so that it is posted once and edited in place."""

forge_note = Table(
    "forge_note",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("issue", Text, nullable=False),
    Column("note", String(100), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)
"""What was said and done at issues on forges, so that it is once; `note` is the forge's own id."""
flag_life = Table(
    "flag_life",
    metadata,
    Column("flag", String(255), primary_key=True),
    Column("first_seen", Moment, nullable=False),
    Column("introduced_at", Moment, nullable=True),
    Column("exposed_at", Moment, nullable=True),
    Column("due_at", Moment, nullable=True),
    Column("due_by", String(255), nullable=False),
    Column("due_reason", Text, nullable=False),
    Column("due_rollout", Integer, nullable=True),
    Column("reminded", String(100), nullable=False),
)
"""What is remembered of a flag beside its gates; `reminded` names the last reminder."""

notice = Table(
    "notice",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("status", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Moment, nullable=False, index=True),
    Column("error", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment, nullable=True),
)
"""Announcements that belong to no rollout, waiting to be made and made."""

side_effect = Table(
    "side_effect",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("body", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", Moment, nullable=False, index=True),
    Column("error", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)
"""Who outside has still to be told of which change; a row goes when it is done."""
