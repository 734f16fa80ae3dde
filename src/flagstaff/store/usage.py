"""Has anything happened in this database yet?"""

from __future__ import annotations

from sqlalchemy import Connection, exists, select

from flagstaff.store.tables import audit, flag_state, rollout


def in_use(connection: Connection) -> bool:
    """Return whether there are rollouts, flags that are set, or audit entries: all have times."""
    tables = (rollout, flag_state, audit)
    return any(connection.execute(select(exists().select_from(each))).scalar() for each in tables)
