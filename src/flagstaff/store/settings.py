"""What does this installation remember about itself?"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from flagstaff.store.tables import setting
from flagstaff.store.upsert import insert_new, upsert


def get(connection: Connection, key: str) -> Any | None:
    """Return what was put under `key`, or `None`."""
    return connection.execute(select(setting.c.value).where(setting.c.key == key)).scalar()


def put(connection: Connection, key: str, value: Any) -> None:
    """Keep a JSON-ready value under `key`."""
    upsert(connection, setting, {"key": key, "value": value})


def put_new(connection: Connection, key: str, value: Any) -> bool:
    """Keep a JSON-ready value under `key` unless there is one; return whether there was none."""
    return insert_new(connection, setting, {"key": key, "value": value})
