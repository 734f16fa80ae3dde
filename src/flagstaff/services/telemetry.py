"""Which applications have spoken to us lately, and what did their flags answer?

Kept in memory only: after a restart the applications report again within a minute.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

MOST_INSTANCES = 1_000
MOST_ANSWERS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The latest sign of life of one process; `version` is the snapshot it works with."""

    instance: str
    environment: str
    sdk: str
    version: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How often a flag answered this in an environment, since the server began."""

    environment: str
    flag: str
    value: bool
    gate: str
    count: int


class Telemetry:
    """Collects reports; bounded, and safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._beats: OrderedDict[tuple[str, str], Heartbeat] = OrderedDict()
        self._counts: OrderedDict[tuple[str, str, bool, str], int] = OrderedDict()

    def report(self, beat: Heartbeat, answers: Iterable[Answered]) -> None:
        """Take in one report; the longest silent process makes room for a new one."""
        with self._lock:
            key = (beat.environment, beat.instance)
            self._beats[key] = beat
            self._beats.move_to_end(key)
            while len(self._beats) > MOST_INSTANCES:
                self._beats.popitem(last=False)
            for each in answers:
                place = (each.flag, each.environment, each.value, each.gate)
                self._counts[place] = self._counts.get(place, 0) + each.count
                self._counts.move_to_end(place)
            while len(self._counts) > MOST_ANSWERS:
                self._counts.popitem(last=False)

    def answers(self, flag: str) -> list[Answered]:
        """Return what the flag answered, by environment, the most frequent first."""
        with self._lock:
            found = [
                Answered(environment=place[1], flag=flag, value=place[2], gate=place[3], count=n)
                for place, n in self._counts.items()
                if place[0] == flag
            ]
        return sorted(found, key=lambda each: (each.environment, -each.count))

    def heartbeats(self) -> list[Heartbeat]:
        """Return the latest sign of life of every process, the newest first."""
        with self._lock:
            return list(reversed(self._beats.values()))
