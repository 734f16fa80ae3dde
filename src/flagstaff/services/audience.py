"""Which processes work with the flags, and have they seen the latest change?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flagstaff.services.answer_counts import AnswerCount, filled
from flagstaff.services.clock import Clock
from flagstaff.services.permissions import visible
from flagstaff.services.telemetry import Answered, Heartbeat, Telemetry
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store

GONE = 3_600.0
"""Real seconds of silence after which a process has ended, and is no longer mentioned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Processes of one application and kind that work with the same flags.

    Attributes:
        version: of the application; empty where nobody says.
        snapshot_version: of the flags they work with; None where their client does not say.
        seen: they have the newest flags of the environment; None where their client does not say.
        processes: how many there are.
        heard_at: when the one of them that was heard last was heard.
        seconds_silent: how many real seconds ago that was.
    """

    environment: str
    application: str
    kind: str
    version: str
    snapshot_version: int | None
    seen: bool | None
    processes: int
    heard_at: datetime
    seconds_silent: float


def audience(unit: Unit, telemetry: Telemetry, clock: Clock) -> list[Processes]:
    """Return who was heard within the last hour, the newest flags first in each environment.

    Only those environments count that the asker may look into.
    """
    beats = [each for each in telemetry.heartbeats() if -clock.seconds_until(each.at) < GONE]
    places = visible(unit)
    known = [each for each in beats if each.environment in places]
    versions = {name: store.version(unit.connection, name) for name in places}
    found = [
        _together(list(alike), versions, clock)
        for _, alike in groupby(sorted(known, key=_key), key=_key)
    ]
    return sorted(
        found,
        key=lambda each: (
            places.index(each.environment),
            each.application,
            each.kind,
            -(each.snapshot_version or 0),
            each.version,
        ),
    )


def answered(unit: Unit, telemetry: Telemetry, flag: str) -> list[Answered]:
    """Return what the flag answered in the environments that the asker may look into."""
    places = visible(unit)
    return [each for each in telemetry.answers(flag) if each.environment in places]


def over_time(unit: Unit, telemetry: Telemetry, flag: str) -> dict[str, list[AnswerCount]]:
    """Return how often the flag answered in each environment that the asker may look into."""
    places = visible(unit)
    found: dict[str, list[AnswerCount]] = {}
    for each in telemetry.over_time(flag):
        if each.environment in places:
            found.setdefault(each.environment, []).append(each)
    return {each: filled(found[each]) for each in reversed(places) if each in found}


def _key(beat: Heartbeat) -> tuple[str, str, str, str, int]:
    flags = -1 if beat.snapshot_version is None else beat.snapshot_version
    return (beat.environment, beat.application, beat.kind, beat.version, flags)


def _together(beats: list[Heartbeat], versions: dict[str, int], clock: Clock) -> Processes:
    latest = max(beats, key=lambda each: each.at)
    flags = latest.snapshot_version
    return Processes(
        environment=latest.environment,
        application=latest.application,
        kind=latest.kind,
        version=latest.version,
        snapshot_version=flags,
        seen=None if flags is None else flags >= versions[latest.environment],
        processes=len(beats),
        heard_at=latest.at,
        seconds_silent=max(0.0, -clock.seconds_until(latest.at)),
    )
