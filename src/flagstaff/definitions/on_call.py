"""Where does it stand who is on call?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """Which of the three is asked; exactly one is given.

    Attributes:
        schedule: a file with rotations, from the project's root.
        pagerduty: where PagerDuty's API is.
        opsgenie: where Opsgenie's API is.
        services: what a service is called there: the id of an escalation policy of PagerDuty's, the
            name of a schedule of Opsgenie's.
        default: the service that is meant when none is named.
    """

    schedule: str = ""
    pagerduty: str = ""
    opsgenie: str = ""
    services: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    default: str = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Someone:
    """A person of a schedule; `mention` is what notifies them in Slack, such as `<@U024BE7LH>`."""

    name: str
    mention: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Somebody stands in from one moment to another."""

    since: datetime
    until: datetime
    person: Someone


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """People who take turns, each for `length`, handing over by the clock on the wall.

    Attributes:
        start: when the turn of the first began, without a zone: it is that of `zone`.
    """

    people: tuple[Someone, ...]
    start: datetime
    length: timedelta
    zone: ZoneInfo
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Who is on call, and until when; an override may end it earlier, or it begins later."""

    person: Someone | None
    until: datetime


def turn_at(rotation: Rotation, now: datetime) -> Turn:
    """Return whose turn it is.

    Hours that a change of summer time adds or takes belong to the turn in which they fall, so that
    a handover at nine stays at nine.
    """
    for each in rotation.overrides:
        if each.since <= now < each.until:
            return Turn(person=each.person, until=each.until)
    local = now.astimezone(rotation.zone).replace(tzinfo=None)
    if local < rotation.start:
        return Turn(person=None, until=rotation.start.replace(tzinfo=rotation.zone))
    turns = (local - rotation.start) // rotation.length
    end = (rotation.start + (turns + 1) * rotation.length).replace(tzinfo=rotation.zone)
    later = [each.since for each in rotation.overrides if now < each.since < end]
    person = rotation.people[turns % len(rotation.people)]
    return Turn(person=person, until=min([end, *later]))
