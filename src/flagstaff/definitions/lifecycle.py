"""How long may flags live, and when is somebody reminded of them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from flagstaff.definitions.flag_types import FLAG_TYPES
from flagstaff.definitions.span import FOREVER, Span

CLEANUP: Final = Span(length=timedelta(days=30))
"""How long a flag that is on for everybody may stay in the code, where flags have a lifespan."""


def _lifespans() -> Mapping[str, Span]:
    return MappingProxyType(
        {name: Span(months=kind.lifespan_months or 0) for name, kind in FLAG_TYPES.items()}
    )


def _cleanup() -> Mapping[str, Span]:
    return MappingProxyType(
        {name: CLEANUP if kind.lifespan_months else FOREVER for name, kind in FLAG_TYPES.items()}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """What a project has settled about the lives of its flags.

    Attributes:
        lifespans: By type, from a flag's introduction to the day on which it should be gone.
        cleanup: By type, from a rollout's 100 % to the day on which the flag should be gone.
        milestones: The days on which milestones began, for definitions that name no day.
        fully_on: A flag that is on for everybody in every environment this long is stale.
        never_on: So is one that is on for nobody in any environment this long,
        no_exposures: and one that no application has asked for this long,
        no_rows: and one that is defined and was set nowhere this long.
        references: Whether the code is searched for flags that it no longer mentions.
        remind_before: How long before the day a flag is due its team hears of it.
        remind_every: How often it hears of it again afterwards.
    """

    lifespans: Mapping[str, Span] = field(default_factory=_lifespans)
    cleanup: Mapping[str, Span] = field(default_factory=_cleanup)
    milestones: Mapping[str, date] = field(default_factory=lambda: MappingProxyType({}))
    fully_on: timedelta = timedelta(days=30)
    never_on: timedelta = timedelta(days=90)
    no_exposures: timedelta = timedelta(days=30)
    no_rows: timedelta = timedelta(days=30)
    references: bool = True
    remind_before: timedelta = timedelta(days=14)
    remind_every: timedelta = timedelta(days=7)
