"""When did an application last ask for each flag?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flagstaff.services.unit import Unit
from flagstaff.store import settings
from flagstaff.store.lives import Life

KEY: Final = "exposures"
"""The setting with the first and the last time at which anything was heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When each flag was last asked for, and between which times anything was heard at all."""

    exposed: Mapping[str, datetime]
    since: datetime | None = None
    until: datetime | None = None


def heard(unit: Unit, lives: Mapping[str, Life]) -> Heard:
    """Return what is kept in the flags' lives, with what this process has heard since."""
    exposed = {name: life.exposed_at for name, life in lives.items() if life.exposed_at}
    span = settings.get(unit.connection, KEY)
    times = [datetime.fromisoformat(each) for each in span] if span else []
    telemetry = unit.context.telemetry
    for name, at in (telemetry.exposed() if telemetry else {}).items():
        exposed[name] = max(at, exposed.get(name, at))
        times.append(at)
    if not times:
        return Heard(exposed=exposed)
    return Heard(exposed=exposed, since=min(times), until=max(times))
