"""How do the reports of applications get through an edge to the control plane?

They are added up for a few seconds and sent together. While the control plane is away they wait,
within bounds; what has waited longest makes room, and is counted. A report may arrive twice when
the connection breaks after it was taken.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice

from flagstaff.errors import NotTaken, Unavailable
from flagstaff.sdk.background import Background, Stop
from flagstaff.sdk.backoff import jittered
from flagstaff.sdk.transport import Address, Transport
from flagstaff.server.edge.forwarding_actors import Place, add, cut, size_of
from flagstaff.server.edge.forwarding_actors import written as written_actors
from flagstaff.server.edge.forwarding_jobs import Job, kept, written
from flagstaff.services.actors import Report
from flagstaff.services.jobs import NO_JOBS, JobsReport
from flagstaff.services.telemetry import Answered, Asked, Heartbeat, Outcome, Unknown

log = logging.getLogger(__name__)

INTERVAL = 2.0
"""Seconds between two batches; the SDK itself waits five."""

MOST_PROCESSES = 10_000
MOST_COUNTS = 100_000
COUNTS_IN_ONE = 250
REPORTS_AT_ONCE = 1_000
BYTES_AT_ONCE = 500_000

Process = tuple[str, str]
"""Its environment and its own name."""


@dataclass(slots=True)
class _Waiting:
    """What one process reported and the control plane has not heard."""

    beat: Heartbeat
    heard_at: float
    answers: dict[tuple[str, bool, str], int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    actors: dict[Place, Report] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Return how many counts there are."""
        counts = len(self.answers) + len(self.unknown) + len(self.asked)
        return counts + self._newest + size_of(self.actors.values())

    @property
    def _newest(self) -> int:
        """Return how many there are of those that count from the beginning."""
        return len(self.outcomes) + len(self.jobs)

    @property
    def total(self) -> int:
        """Return how many answers were counted."""
        return sum(self.answers.values()) + sum(self.unknown.values())

    def add(self, other: _Waiting) -> None:
        """Add another report of the same process; the newer sign of life counts."""
        if other.heard_at >= self.heard_at:
            self.beat, self.heard_at = other.beat, other.heard_at
            self.outcomes |= other.outcomes  # they count from the beginning, so the newer holds
            self.jobs |= other.jobs
        else:
            self.outcomes = other.outcomes | self.outcomes
            self.jobs = other.jobs | self.jobs
        for place, count in other.answers.items():
            self.answers[place] = self.answers.get(place, 0) + count
        for flag, count in other.unknown.items():
            self.unknown[flag] = self.unknown.get(flag, 0) + count
        for seen in other.asked.values():
            self.ask(seen)
        add(self.actors, other.actors.values())

    def ask(self, seen: Asked) -> None:
        """Add what a process saw of the questions about a flag."""
        known = self.asked.get(seen.flag)
        self.asked[seen.flag] = seen if known is None else known + seen


class Forwarder:
    """Takes in reports, from any thread, and sends them on.

    Args:
        address: of the control plane; the environment of the address does not matter.
    """

    def __init__(self, address: Address) -> None:
        self._transport = Transport(address)
        self._background = Background("reports", self._run)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[Process, _Waiting] = OrderedDict()
        self._counts = 0
        self._problem = ""
        self.dropped = 0

    def start(self) -> None:
        """Begin to send."""
        self._background.start()

    def close(self, timeout: float) -> None:
        """Try to send what is left, for about `timeout` seconds."""
        self._background.stop(timeout)

    @property
    def waiting(self) -> int:
        """Return how many answers wait to be sent."""
        with self._lock:
            return sum(each.total for each in self._waiting.values())

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
        new = _Waiting(beat, time.monotonic())
        for each in answers:
            place = (each.flag, each.value, each.gate)
            new.answers[place] = new.answers.get(place, 0) + each.count
        for asked in unknown:
            new.unknown[asked.flag] = new.unknown.get(asked.flag, 0) + asked.count
        for seen in questions:
            new.ask(seen)
        new.outcomes = {(each.flag, each.kind): each for each in outcomes}
        new.jobs = kept(jobs, new.heard_at)
        with self._lock:
            self._put((beat.environment, beat.instance), new, newest=True)
            self._trim()

    def report_actors(self, beat: Heartbeat, reports: Iterable[Report]) -> None:
        """Take in what a process noted of actors."""
        new = _Waiting(beat, time.monotonic())
        add(new.actors, reports)
        if not new.actors:
            return
        with self._lock:
            self._put((beat.environment, beat.instance), new, newest=True)
            self._trim()

    def send(self) -> None:
        """Send what waits now; what cannot be sent waits on."""
        with self._lock:
            taken = list(self._waiting.items())
            self._waiting.clear()
            self._counts = 0
        batches = _batches(taken)
        for batch in batches:
            try:
                self._transport.reports([each for _, _, each in batch])
                self._note("")
            except NotTaken as exc:
                self._note(f"{sum(_count(batch))} answers were not taken: {exc.message}")
                self._drop(sum(_count(batch)))
            except Unavailable as exc:
                self._note(f"reports wait: {exc.message}")
                self._put_back([batch, *batches])
                return

    def _run(self, stop: Stop) -> None:
        while not stop.wait(jittered(INTERVAL)):
            self.send()
        self.send()

    def _put(self, process: Process, new: _Waiting, *, newest: bool) -> None:
        before = self._waiting.get(process)
        self._counts -= before.size if before else 0
        if before is not None:
            before.add(new)
            new = before
        self._waiting[process] = new
        self._counts += new.size
        self._waiting.move_to_end(process, last=newest)

    def _put_back(self, batches: Iterable[list[_Piece]]) -> None:
        with self._lock:
            pieces = [piece for batch in batches for piece in batch]
            for process, waiting, _ in reversed(pieces):
                self._put(process, waiting, newest=False)
            self._trim()

    def _trim(self) -> None:
        while len(self._waiting) > MOST_PROCESSES or self._counts > MOST_COUNTS:
            _, oldest = self._waiting.popitem(last=False)
            self._counts -= oldest.size
            self.dropped += oldest.total

    def _drop(self, count: int) -> None:
        with self._lock:
            self.dropped += count

    def _note(self, problem: str) -> None:
        """Log a problem once, not at every attempt."""
        if problem and not self._problem:
            log.warning("%s", problem)
        self._problem = problem


_Piece = tuple[Process, _Waiting, bytes]
"""Whose report, what it holds, and how it is written."""


def _count(batch: list[_Piece]) -> Iterator[int]:
    return (waiting.total for _, waiting, _ in batch)


def _batches(taken: list[tuple[Process, _Waiting]]) -> Iterator[list[_Piece]]:
    batch: list[_Piece] = []
    size = 0
    for process, whole in taken:
        for piece in _pieces(whole):
            written = _written(piece)
            if batch and (size + len(written) > BYTES_AT_ONCE or len(batch) == REPORTS_AT_ONCE):
                yield batch
                batch, size = [], 0
            batch.append((process, piece, written))
            size += len(written)
    if batch:
        yield batch


def _pieces(whole: _Waiting) -> Iterator[_Waiting]:
    """Cut what is too long for one report; each piece has the sign of life."""
    answers, unknown = iter(whole.answers.items()), iter(whole.unknown.items())
    asked, outcomes = iter(whole.asked.items()), iter(whole.outcomes.items())
    jobs, actors = iter(whole.jobs.items()), cut(whole.actors.values())
    first = True
    while True:
        piece = _Waiting(
            whole.beat,
            whole.heard_at,
            dict(islice(answers, COUNTS_IN_ONE)),
            dict(islice(unknown, COUNTS_IN_ONE)),
            dict(islice(asked, COUNTS_IN_ONE)),
            dict(islice(outcomes, COUNTS_IN_ONE)),
            dict(islice(jobs, COUNTS_IN_ONE)),
        )
        add(piece.actors, islice(actors, 1))
        if not first and not piece.size:
            return
        yield piece
        first = False


def _written(piece: _Waiting) -> bytes:
    beat = piece.beat
    body = {
        "instance": beat.instance,
        "environment": beat.environment,
        "application": beat.application,
        "kind": beat.kind,
        "version": beat.version,
        "snapshot_version": beat.snapshot_version,
        "sdk": beat.sdk,
        "seconds_ago": round(max(0.0, time.monotonic() - piece.heard_at), 1),
        "exposures": [
            {"flag": flag, "value": value, "gate": gate, "count": count}
            for (flag, value, gate), count in piece.answers.items()
        ],
        "asked": [asdict(seen) for seen in piece.asked.values()],
        "unknown": [{"flag": flag, "count": count} for flag, count in piece.unknown.items()],
        "outcomes": [
            {
                "flag": each.flag,
                "kind": each.kind,
                "on": each.on,
                "on_bad": each.on_bad,
                "off": each.off,
                "off_bad": each.off_bad,
                "seconds": (each.heard - each.began).total_seconds(),
            }
            for each in piece.outcomes.values()
        ],
        **written(piece.jobs.values(), piece.heard_at),
        "actors": [written_actors(each) for each in piece.actors.values()],
    }
    return json.dumps(body).encode()
