"""What is judged: one flag in one environment, as it is and as it shall be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar, Final, Protocol

from flagstaff.flags.gates import Gates, State
from flagstaff.rollouts.event import Answer
from flagstaff.services.person import Person

PRODUCTION: Final = "production"
STAGING: Final = "staging"

_ALL: Final = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a change may not happen: what is in the way, and what can be done about it.

    `until` is when it is no longer in the way, if that is known.
    """

    what: str
    remedy: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Why nothing may open wider in an environment for now, as a person has said it."""

    reason: str
    who: str
    since: datetime
    until: datetime | None = None

    def __str__(self) -> str:
        """Return the reason, and who has said it when."""
        return f"{self.reason} ({self.who}, {self.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One flag in one environment, with what is known around it.

    Attributes:
        before: the gates now; None when it is not set there.
        after: the gates as they shall be; None to forget them.
        default: what the definition says where nothing is set.
        changed_at: when it changed there last.
        standing: what the flag amounts to in every environment when all is done.
        cleanup: whether the state goes because the flag itself does.
        healthy: what was said about production; None when nobody was to be asked.
        deployed: whether the flag's code runs there; None when nobody wants to know.
        actorless: how it is known that the flag is asked without an actor, or empty.
        lock: the lock that somebody has put on the environment.
        incident: the incident that is open there.
    """

    flag: str
    environment: str
    before: Gates | None
    after: Gates | None
    default: bool
    now: datetime
    by: Person
    changed_at: datetime | None = None
    standing: Mapping[str, State] = field(default_factory=dict)
    cleanup: bool = False
    healthy: Answer | None = None
    deployed: Answer | None = None
    actorless: str = ""
    lock: Standing | None = None
    incident: Standing | None = None

    @property
    def production(self) -> bool:
        """Return whether it is about production."""
        return self.environment == PRODUCTION

    @property
    def widens(self) -> bool:
        """Return whether anybody may get the flag who does not have it now."""
        return _widens(effective(self.before, self.default), effective(self.after, self.default))

    @property
    def step(self) -> Decimal:
        """Return by how many percentage points the share of everyone grows; negative: shrinks."""
        before = effective(self.before, self.default)
        return _share(effective(self.after, self.default)) - _share(before)


class Policy(Protocol):
    """A rule with a setting in `flagstaff.yml` and an override."""

    setting: ClassVar[str]
    override: ClassVar[str]

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None` when it may."""
        ...


def effective(gates: Gates | None, default: bool) -> Gates:  # noqa: FBT001 it is a value, not a mode
    """Return the gates that answer, where nothing is set those of the default."""
    return Gates(boolean=default) if gates is None else gates


def _widens(old: Gates, new: Gates) -> bool:
    if new.state is State.OFF:
        return False
    if old.opted_out - new.opted_out:
        return True
    if old.state is State.ON:
        return False
    return bool(
        new.state is State.ON
        or new.members - old.members
        or new.groups - old.groups
        or new.percentage_of_actors > old.percentage_of_actors
        or new.percentage_of_time > old.percentage_of_time
        or (new.expression and new.expression != old.expression)
    )


def _share(gates: Gates) -> Decimal:
    """Return the percentage of everyone; single actors, groups and conditions count as nobody."""
    if gates.state is State.ON:
        return _ALL
    return max(gates.percentage_of_actors, gates.percentage_of_time)
