"""What does this installation remember about itself?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from flagstaff.store.tables import setting
from flagstaff.store.upsert import upsert


def get(connection: Connection, key: str) -> Any | None:
    """Return what was put under `key`, or `None`."""
    return connection.execute(select(setting.c.value).where(setting.c.key == key)).scalar()


def put(connection: Connection, key: str, value: Any) -> None:
    """Keep a JSON-ready value under `key`."""
    upsert(connection, setting, {"key": key, "value": value})
