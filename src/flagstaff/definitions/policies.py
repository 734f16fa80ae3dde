"""What has a project settled about when its flags may change?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from flagstaff.definitions.cron import last_start

PRODUCTION_ONLY: Final = ("production",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A time in which nothing opens wider; `until` is no longer part of it."""

    since: datetime
    until: datetime
    reason: str
    environments: tuple[str, ...] = PRODUCTION_ONLY

    def ends(self, now: datetime) -> datetime | None:
        """Return when it ends if `now` is part of it."""
        return self.until if self.since <= now < self.until else None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A time that comes again and again, in which nothing opens wider.

    Attributes:
        cron: When it begins, as a line of cron.
        lasts: For how long, on the clock that never jumps.
        timezone: Of `cron`.
    """

    cron: str
    lasts: timedelta
    reason: str
    timezone: str = "UTC"
    environments: tuple[str, ...] = PRODUCTION_ONLY

    def ends(self, now: datetime) -> datetime | None:
        """Return when it ends if `now` is part of it."""
        start = last_start(self.cron, self.timezone, now)
        if start is None or now >= start + self.lasts:
            return None
        return start + self.lasts


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Whom to ask whether production is well: a web address, or else a command.

    Attributes:
        url: Any answer below 300 is a yes.
        command: Words of a program run in the project's root; 0 is a yes.
        timeout: How long an answer may take before it counts as a no.
    """

    url: str = ""
    command: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=10)


def _nowhere() -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The settings under `policies:` in `flagstaff.yml`.

    Attributes:
        consistency: Staging is on before production is, and off after it.
        production_channel: From chat, production changes only in the channel `production`.
        environment_channels: From chat, other environments change only in these channels.
        freeze: When nothing opens wider, once.
        quiet_hours: When nothing opens wider, again and again.
        health: Who says whether production is well; None for nobody.
        require_deployed: A flag opens only where the commit that brought it runs.
        min_dwell: The least time between two steps in production; zero for none.
        max_step: The most percentage points of one step in production; 100 for any.
        allow_random: Whether any flag may get a percentage of time without more ado.
        allow_actorless: Whether a flag that is asked without an actor may get a share of actors.
        four_eyes: Nobody approves a step of a rollout they have started.
    """

    consistency: bool = True
    production_channel: bool = True
    environment_channels: Mapping[str, tuple[str, ...]] = field(default_factory=_nowhere)
    freeze: tuple[Freeze, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = ()
    health: HealthCheck | None = None
    require_deployed: bool = False
    min_dwell: timedelta = timedelta()
    max_step: Decimal = Decimal(100)
    allow_random: bool = False
    allow_actorless: bool = False
    four_eyes: bool = False
