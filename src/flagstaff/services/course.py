"""How wide was a rollout's flag open over time, and what else happened meanwhile?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flagstaff.commands.model import AuditSearch
from flagstaff.services import views
from flagstaff.services.finding import find_rollout
from flagstaff.services.unit import Unit
from flagstaff.services.views import AuditView

MOST = 200
"""So many entries of the audit log are looked at, the newest ones."""

EVERYBODY = 100.0
DELETE = "flag.delete"
CHANGES = frozenset({"flag.set", "flag.restore", DELETE, "flag.undo"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """From then on the flag was on for so many people in 100; single actors count as none."""

    at: datetime
    before: float
    share: float
    who: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happened from a rollout's begin to its end.

    Attributes:
        environment: the one whose share is told, empty where the asker may not look into it.
        begun: when the rollout began, none when it has not.
        ended: when it was over, none when it is not.
        openings: how wide the flag was open there, oldest first.
        journal: what engine, people and deployments did, newest first.
    """

    environment: str
    begun: datetime | None
    ended: datetime | None
    openings: tuple[Opening, ...]
    journal: tuple[AuditView, ...]


def course(unit: Unit, number: int) -> Course:
    """Return what happened while a rollout was under way.

    Raises:
        NotFound: there is none with this number.
    """
    found = find_rollout(unit, number).rollout
    own = views.audit(unit, rollout=number, limit=MOST)
    environment = next(iter(found.plan.production), "")
    if found.started_at is None:
        return Course(environment="", begun=None, ended=None, openings=(), journal=tuple(own))
    definition = unit.context.definitions().get(found.plan.flag)
    default = definition.default_enabled if definition else False

    def share(entry: AuditView) -> float:
        # Once the code asks no more, whoever had the flag last has it for good.
        cleaned_up = entry.action == DELETE and definition is None
        return share_of(entry.before if cleaned_up else entry.after, default=default)

    since = found.started_at.isoformat()
    until = found.finished_at.isoformat() if found.finished_at else ""
    flag = _meanwhile(unit, AuditSearch(flag=found.plan.flag, since=since, until=until))
    deployments = _meanwhile(unit, AuditSearch(action="deployment", since=since, until=until))
    entries = {each.id: each for each in (*own, *flag, *deployments)}
    journal = sorted(entries.values(), key=lambda each: each.id, reverse=True)
    return Course(
        environment=environment,
        begun=found.started_at,
        ended=found.finished_at,
        openings=tuple(
            Opening(
                at=each.at,
                before=share_of(each.before, default=default),
                share=share(each),
                who=each.who,
                words=each.text,
            )
            for each in reversed(journal)
            if each.action in CHANGES and each.environment == environment
        ),
        journal=tuple(journal[:MOST]),
    )


def share_of(gates: Any, *, default: bool = False) -> float:
    """Return for how many people in 100 gates of the audit log are open; `default` without any."""
    if not isinstance(gates, dict):
        return EVERYBODY if default else 0.0
    if gates.get("boolean"):
        return EVERYBODY
    shares = (gates.get("percentage_of_actors"), gates.get("percentage_of_time"))
    return max(float(each or 0) for each in shares)


def _meanwhile(unit: Unit, search: AuditSearch) -> list[AuditView]:
    return views.searched(unit, search, limit=MOST)
