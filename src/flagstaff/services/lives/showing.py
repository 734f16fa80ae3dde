"""How old is a flag, how old may it become, and what speaks for its end?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flagstaff.flags.stale import Finding, findings
from flagstaff.services.lives.due import Due, due_of
from flagstaff.services.lives.facts import facts_of
from flagstaff.services.lives.stale import limits_of
from flagstaff.services.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeView:
    """One flag's life.

    Attributes:
        introduced_at: from when its lifespan counts.
        age: days since then.
        milestone_on: the day of its milestone, where the project names it.
        lifespan: how long flags of its type may stay, in words; `none` for as long as they like.
        ends_at: when that is over, `None` for never and where a person has settled something else.
        due: until when it has to be gone.
        exposed_at: when an application last asked for it, `None` for never.
        findings: why it should go, or be looked at.
    """

    owner: str
    introduced_at: datetime | None
    age: int
    milestone_on: date | None
    lifespan: str
    ends_at: datetime | None
    due: Due | None
    exposed_at: datetime | None
    findings: tuple[Finding, ...]


def life_of(unit: Unit, name: str) -> LifeView:
    """Return the life of a flag that somebody knows."""
    found = facts_of(unit, name)
    settings = unit.context.project.lifecycle
    definition = unit.context.definitions().get(name)
    milestone = (definition.milestone or "") if definition else ""
    came = found.introduced_at
    return LifeView(
        owner=found.owner,
        introduced_at=came,
        age=(unit.now - came).days if came else 0,
        milestone_on=settings.milestones.get(milestone),
        lifespan=str(settings.lifespans[found.type]) if definition else "",
        ends_at=found.ends_at,
        due=due_of(unit, name),
        exposed_at=found.exposed_at,
        findings=findings(found, limits_of(unit), unit.now),
    )
