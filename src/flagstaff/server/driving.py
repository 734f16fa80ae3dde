"""What makes this server's engine look at rollouts?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flagstaff.engine.driver import Driver
from flagstaff.errors import MissingExtra, UsageError
from flagstaff.server.settings import EngineKind, Settings
from flagstaff.services.clock import Clock
from flagstaff.services.opening import conninfo, database_file

MakeDriver = Callable[[Clock], Driver]

SCHEMA: Final = "flagstaff_procrastinate"
"""Where Procrastinate's tables are; a team's own Procrastinate has others."""


def chosen_driver(settings: Settings) -> MakeDriver | None:
    """Return what makes the driver that was chosen; `None` is the built-in one.

    Raises:
        UsageError: it does not work with this database.
        MissingExtra: it is not installed.
    """
    if settings.engine is not EngineKind.PROCRASTINATE:
        return None
    if database_file(settings.database_url) is not None:
        raise UsageError(
            "--engine procrastinate keeps its jobs in PostgreSQL, and this database is SQLite",
            hint="add --database postgresql://USER@HOST/NAME, or leave --engine out: the built-in "
            "engine needs nothing else",
        )
    try:
        from flagstaff.engine.procrastinate_driver import Procrastinate  # noqa: PLC0415 an extra
    except ModuleNotFoundError as exc:
        raise MissingExtra.named("procrastinate", package="procrastinate") from exc
    place = conninfo(settings.database_url, schema=SCHEMA)
    return lambda clock: Procrastinate(place, SCHEMA, clock.wall)
