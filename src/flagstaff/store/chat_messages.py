"""What was posted to chat, and how does it read there?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from flagstaff.store.tables import chat_message as table
from flagstaff.store.upsert import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of ours: `key` is what it is about, `digest` stands for how it reads now.

    `channel` and `ts` are the chat's own names for where it is.
    """

    key: str
    channel: str
    ts: str
    digest: str
    at: datetime


def get(connection: Connection, key: str) -> ChatMessage | None:
    """Return the message about `key`, if one was posted."""
    row = connection.execute(select(table).where(table.c.key == key)).first()
    return ChatMessage(**row._mapping) if row else None  # noqa: SLF001 SQLAlchemy's public way


def put(connection: Connection, message: ChatMessage) -> None:
    """Remember a message, or how it reads now."""
    upsert(connection, table, asdict(message))
