"""What was said and done at issues on forges, and how does it read there?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from flagstaff.store.tables import forge_note as table
from flagstaff.store.upsert import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeNote:
    """One thing of ours at an issue: `key` is what it is about, `digest` stands for how it is now.

    `issue` is the issue's address, `note` the forge's own id of a comment, empty for what is none.
    """

    key: str
    issue: str
    note: str
    digest: str
    at: datetime


def get(connection: Connection, key: str) -> ForgeNote | None:
    """Return what is known about `key`."""
    row = connection.execute(select(table).where(table.c.key == key)).first()
    return ForgeNote(**row._mapping) if row else None  # noqa: SLF001 SQLAlchemy's public way


def put(connection: Connection, note: ForgeNote) -> None:
    """Remember it, or how it is now."""
    upsert(connection, table, asdict(note))
