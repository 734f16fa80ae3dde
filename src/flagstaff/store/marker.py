"""What do the tables say of themselves, and are they those of this version?

Answered without Alembic, which takes longer to load than most commands to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

from flagstaff.store import settings

MIGRATIONS: Final = Path(__file__).parent / "migrations"
KEY: Final = "schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What the database says about its tables."""

    revision: str
    compatible_from: str


def kept(connection: Connection) -> Marker | None:
    """Return what the database says, `None` when it says nothing that can be understood."""
    value: Any = settings.get(connection, KEY)
    try:
        return Marker(revision=value["revision"], compatible_from=value["compatible_from"])
    except (TypeError, KeyError):
        return None


def is_current(connection: Connection) -> bool:
    """Say whether nothing is to be done before this version works with the tables."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    present = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    newest = max(each.name.partition("_")[0] for each in (MIGRATIONS / "versions").glob("*.py"))
    if present != newest:
        return False
    marker = kept(connection)
    return marker is not None and marker.revision == newest
