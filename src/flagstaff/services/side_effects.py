"""Who outside is to be told of a change of a flag, and who still has to be?

What is wanted is written down with the change, in one transaction, and done after it. One that
fails is tried again, for days; it never takes the change back and never keeps another one waiting.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from flagstaff.commands.codec import decode, encode
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.services.unit import Unit
from flagstaff.store import rollouts
from flagstaff.store import side_effects as store
from flagstaff.store.audit import AuditEntry
from flagstaff.store.rollouts import RolloutRecord

LEASE: Final = timedelta(minutes=2)
"""Longer than any try takes; a server that died with one leaves it to the next after this."""

FIRST_BACK_OFF: Final = timedelta(seconds=1)
LONGEST_BACK_OFF: Final = timedelta(minutes=15)
GIVEN_UP_AFTER: Final = timedelta(days=3)
"""Long enough for a weekend."""

_DOUBLINGS: Final = 10

log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What is done outside."""

    ANNOTATION = "annotation"
    EVENT = "event"
    LOG = "log"
    ROLLOUT_ISSUE = "rollout_issue"
    TEAM_CHANNEL = "team_channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagChanged:
    """One change of one flag in one environment, for those who hear of it outside.

    Attributes:
        id: the same on every attempt, and of no other change.
        text: what was done, such as `new_navigation set to 25 % of actors in production`.
        words: who gets the flag now.
        issue: the address of the rollout issue, if the definition names one.
        issue_path: the file of the rollout issue, where a rollout that is not over follows one.
        url: the flag's page, if the server knows its own address.
    """

    id: str
    at: datetime
    who: str
    source: str
    channel: str
    action: str
    flag: str
    environment: str
    text: str
    words: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    rollout: int | None
    step: str
    reason: str
    override: str
    issue: str
    issue_path: str
    url: str

    @property
    def title(self) -> str:
        """Return who did what."""
        return f"{self.who}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One thing to be done outside; `attempts` counts the tries, this one included."""

    key: str
    kind: Kind
    change: FlagChanged
    attempts: int
    created_at: datetime


def want(unit: Unit, entry: AuditEntry, *, words: str, issue: str) -> None:
    """Note who is to be told of a change that this entry of the audit log says.

    `words` is who gets the flag now, `issue` the address of its rollout issue or empty.
    """
    kinds = _kinds(unit, entry)
    path, followed = "", _followed(unit, entry) if unit.context.project.forges else None
    if followed is not None and _says(followed, entry):
        unit.changed.add(f"issue:{followed.rollout.id}")
    if Kind.ROLLOUT_ISSUE in kinds:
        path, issue = _rollout_issue(unit, entry, issue)
        if not path and not issue:
            kinds.remove(Kind.ROLLOUT_ISSUE)
    if not kinds:
        return
    address = unit.context.address().rstrip("/")
    change = FlagChanged(
        id=uuid.uuid4().hex,
        at=unit.wall,
        who=entry.who,
        source=entry.source,
        channel=unit.by.channel,
        action=entry.action,
        flag=entry.flag,
        environment=entry.environment,
        text=entry.text,
        words=words,
        before=entry.before,
        after=entry.after,
        rollout=entry.rollout_id,
        step=entry.step,
        reason=entry.reason,
        override=entry.override,
        issue=issue,
        issue_path=path,
        url=f"{address}/flags/{entry.flag}" if address else "",
    )
    wanted = [(f"{change.id}/{kind}", kind.value) for kind in kinds]
    store.add(unit.connection, wanted, encode(change, FlagChanged), unit.wall)
    unit.changed.add("side-effects")


def is_due(unit: Unit, resting: Collection[Kind]) -> bool:
    """Return whether anything may be tried now, but for kinds that rest."""
    return store.is_due(unit.connection, unit.wall, _awake(resting))


def take(unit: Unit, resting: Collection[Kind]) -> Wanted | None:
    """Return what is to be tried now; nobody else tries it meanwhile.

    What a newer server has written in another shape is left to that one.
    """
    while row := store.take(unit.connection, unit.wall, _awake(resting), until=unit.wall + LEASE):
        try:
            change = decode(row.body, FlagChanged)
        except UsageError as error:
            log.warning("the side effect %s is left to a newer server: %s", row.key, error)
            continue
        return Wanted(
            key=row.key,
            kind=Kind(row.kind),
            change=change,
            attempts=row.attempts,
            created_at=row.created_at,
        )
    return None


def finish(unit: Unit, wanted: Wanted) -> None:
    """Note that it is done."""
    store.remove(unit.connection, wanted.key)


def fail(unit: Unit, wanted: Wanted, error: FlagstaffError) -> None:
    """Note a failed try: again later or, after days, never."""
    if unit.wall - wanted.created_at < GIVEN_UP_AFTER:
        again_at = unit.wall + back_off(wanted.attempts)
        store.postpone(unit.connection, wanted.key, again_at, error.message)
    elif store.remove(unit.connection, wanted.key):
        unit.record(
            "side_effect.fail",
            flag=wanted.change.flag,
            environment=wanted.change.environment,
            rollout_id=wanted.change.rollout,
            text=f"{wanted.kind} given up after {wanted.attempts} tries: {error.message}",
        )


def back_off(attempts: int) -> timedelta:
    """Return how long to wait after so many failed tries: twice as long each time, up to a limit.

    >>> [back_off(attempts).seconds for attempts in (1, 2, 3, 9, 10, 99)]
    [1, 2, 4, 256, 512, 900]
    """
    doublings = min(max(attempts - 1, 0), _DOUBLINGS)
    return min(FIRST_BACK_OFF * (1 << doublings), LONGEST_BACK_OFF)


def _awake(resting: Collection[Kind]) -> list[Kind]:
    return [kind for kind in Kind if kind not in resting]


def _kinds(unit: Unit, entry: AuditEntry) -> list[Kind]:
    project = unit.context.project
    settings = project.side_effects
    by_rollout = entry.rollout_id is not None
    places: dict[Kind, tuple[str, ...]] = {}
    if settings.annotation is not None:
        places[Kind.ANNOTATION] = settings.annotation.environments
    if settings.event is not None:
        places[Kind.EVENT] = settings.event.environments
    if settings.log is not None:
        places[Kind.LOG] = settings.log.environments
    # What a rollout does itself, its issue says already.
    if settings.rollout_issue is not None and not by_rollout:
        places[Kind.ROLLOUT_ISSUE] = settings.rollout_issue.environments
    team, channel = settings.team_channel, project.channels.get("team", "").lstrip("#")
    told = team is not None and (team.rollouts or not by_rollout)
    # Importing may change hundreds of flags, and a channel is no place for that.
    told = told and entry.action != "flag.import"
    if team is not None and told and channel and unit.by.channel.lstrip("#") != channel:
        places[Kind.TEAM_CHANNEL] = team.environments
    return [kind for kind, where in places.items() if entry.environment in where]


def _rollout_issue(unit: Unit, entry: AuditEntry, issue: str) -> tuple[str, str]:
    """Return the file and the address of the issue that is told; both empty for none.

    One on a forge that follows its rollout says by itself what changes in production.
    """
    followed = _followed(unit, entry)
    if followed is None:
        return "", issue
    if not is_web_address(followed.issue_path):
        return followed.issue_path, issue
    return "", "" if _says(followed, entry) else followed.issue_path


def _followed(unit: Unit, entry: AuditEntry) -> RolloutRecord | None:
    """Return the rollout of the flag that is not over and follows an issue."""
    running = rollouts.find(unit.connection, active=True, flag=entry.flag)
    return next((each for each in running if each.issue_path), None)


def _says(followed: RolloutRecord, entry: AuditEntry) -> bool:
    """Return whether the rollout's issue tells of a change by itself, being on a forge."""
    on_forge = is_web_address(followed.issue_path)
    return on_forge and entry.environment in followed.rollout.plan.production
