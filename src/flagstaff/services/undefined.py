"""Which flags does code ask for that nobody has defined?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.services.permissions import visible
from flagstaff.services.telemetry import Telemetry
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store


@dataclass(frozen=True, slots=True, kw_only=True)
class Undefined:
    """A flag that is asked for and is not there; `near` is what may have been meant."""

    flag: str
    environment: str
    application: str
    count: int
    near: str


def undefined(unit: Unit, telemetry: Telemetry) -> list[Undefined]:
    """Return them as they were asked for since the server began, the most frequent first.

    A flag that has been defined or set since then is one no more.
    """
    asked = telemetry.unknown()
    if not asked:
        return []
    definitions = unit.context.definitions()
    places = visible(unit)
    known = {*definitions, *(each.flag for each in store.find(unit.connection))}
    return [
        Undefined(
            flag=each.flag,
            environment=each.environment,
            application=each.application,
            count=each.count,
            near=next(iter(definitions.near(each.flag)), ""),
        )
        for each in asked
        if each.flag not in known and each.environment in places
    ]
