"""Which applications have spoken to us lately, and what did their flags answer?

Kept in memory only: after a restart the applications report again within a minute.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from flagstaff.services.answer_counts import AnswerCount, AnswerCounts
from flagstaff.services.jobs import NO_JOBS, Jobs, JobsReport

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_INSTANCES = 1_000
MOST_ANSWERS = 10_000
MOST_UNKNOWN = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The latest sign of life of one process.

    Attributes:
        instance: the process itself; no other has this name.
        application: the program it runs, such as `shop`.
        kind: `web`, `worker` or another word for what it does.
        version: of the program, or the commit it was built from.
        snapshot_version: of the flags it works with; None where its client does not say.
        sdk: the client library, where it says so.
    """

    instance: str
    environment: str
    application: str = ""
    kind: str = ""
    version: str = ""
    snapshot_version: int | None = None
    sdk: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How often a flag answered this in an environment, since the server began."""

    environment: str
    flag: str
    value: bool
    gate: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """How often a flag was asked for that the client's snapshot did not have, and who did last."""

    environment: str
    flag: str
    application: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of the questions about a flag that clients looked at, how many named an actor."""

    flag: str
    with_actor: int = 0
    without_actor: int = 0

    def __add__(self, other: Asked) -> Asked:
        """Return both together, of the same flag."""
        return Asked(
            flag=self.flag,
            with_actor=self.with_actor + other.with_actor,
            without_actor=self.without_actor + other.without_actor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it went with a flag on and off, in one process since it began to count.

    Attributes:
        instance: the process.
        kind: what counts as bad: `outcomes`, `5xx`, `302` or `jobs`.
        on: how often something came out with the flag on, bad or not.
        off: the same with the flag off.
        began: real time since when the process counts.
        heard: real time of the report.
    """

    environment: str
    instance: str
    flag: str
    kind: str
    on: int = 0
    on_bad: int = 0
    off: int = 0
    off_bad: int = 0
    began: datetime
    heard: datetime


class Reporting(Protocol):
    """Something that takes in reports."""

    def report(
        self,
        beat: Heartbeat,
        answers: Iterable[Answered],
        unknown: Iterable[Unknown] = (),
        questions: Iterable[Asked] = (),
        outcomes: Iterable[Outcome] = (),
        jobs: JobsReport = NO_JOBS,
    ) -> None:
        """Take in one report."""
        ...


class Telemetry:
    """Collects reports; bounded, and safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._beats: OrderedDict[tuple[str, str], Heartbeat] = OrderedDict()
        self._counts: OrderedDict[tuple[str, str, bool, str], int] = OrderedDict()
        self._unknown: OrderedDict[tuple[str, str], Unknown] = OrderedDict()
        self._asked: OrderedDict[str, Asked] = OrderedDict()
        self._exposed: OrderedDict[str, datetime] = OrderedDict()
        self._outcomes: OrderedDict[tuple[str, str, str, str], Outcome] = OrderedDict()
        self._over_time = AnswerCounts()
        self.jobs = Jobs()

    def report(
        self,
        beat: Heartbeat,
        answers: Iterable[Answered],
        unknown: Iterable[Unknown] = (),
        questions: Iterable[Asked] = (),
        outcomes: Iterable[Outcome] = (),
        jobs: JobsReport = NO_JOBS,
    ) -> None:
        """Take in one report; what has been silent longest makes room for what is new."""
        self.jobs.take(beat.environment, beat.instance, jobs)
        with self._lock:
            key = (beat.environment, beat.instance)
            self._beats[key] = beat
            _trim(self._beats, key, MOST_INSTANCES)
            for each in answers:
                place = (each.flag, each.environment, each.value, each.gate)
                self._counts[place] = self._counts.get(place, 0) + each.count
                _trim(self._counts, place, MOST_ANSWERS)
                self._over_time.add(
                    each.flag, each.environment, beat.at, value=each.value, count=each.count
                )
                self._exposed[each.flag] = beat.at
                _trim(self._exposed, each.flag, MOST_ANSWERS)
            for asked in unknown:
                where = (asked.environment, asked.flag)
                before = self._unknown.get(where)
                count = asked.count + (before.count if before else 0)
                self._unknown[where] = replace(asked, count=count)
                _trim(self._unknown, where, MOST_UNKNOWN)

            for seen in questions:
                known = self._asked.get(seen.flag, Asked(flag=seen.flag))
                self._asked[seen.flag] = known + seen
                _trim(self._asked, seen.flag, MOST_ANSWERS)
            for one in outcomes:
                process = (one.flag, one.kind, one.environment, one.instance)
                self._outcomes[process] = one
                _trim(self._outcomes, process, MOST_ANSWERS)

    def exposed(self) -> dict[str, datetime]:
        """Return when each flag was last reported to have been asked for."""
        with self._lock:
            return dict(self._exposed)

    def asked(self, flag: str) -> Asked:
        """Return what is known of the questions about a flag."""
        with self._lock:
            return self._asked.get(flag, Asked(flag=flag))

    def outcomes(self, flag: str, kind: str) -> list[Outcome]:
        """Return what each process reported last of how it went with the flag."""
        with self._lock:
            found = list(self._outcomes.values())
        return [each for each in found if (each.flag, each.kind) == (flag, kind)]

    def answers(self, flag: str) -> list[Answered]:
        """Return what the flag answered, by environment, the most frequent first."""
        with self._lock:
            found = [
                Answered(environment=place[1], flag=flag, value=place[2], gate=place[3], count=n)
                for place, n in self._counts.items()
                if place[0] == flag
            ]
        return sorted(found, key=lambda each: (each.environment, -each.count))

    def over_time(self, flag: str) -> list[AnswerCount]:
        """Return how often the flag answered on and off, by environment, oldest first."""
        with self._lock:
            return self._over_time.of(flag)

    def unknown(self) -> list[Unknown]:
        """Return what was asked for and not there, the most frequent first."""
        with self._lock:
            found = list(self._unknown.values())
        return sorted(found, key=lambda each: (-each.count, each.flag, each.environment))

    def heartbeats(self) -> list[Heartbeat]:
        """Return the latest sign of life of every process, the newest first."""
        with self._lock:
            return list(reversed(self._beats.values()))


def _trim(kept: OrderedDict[Key, Value], newest: Key, most: int) -> None:
    kept.move_to_end(newest)
    while len(kept) > most:
        kept.popitem(last=False)
