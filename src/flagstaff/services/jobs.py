"""What becomes of background jobs, by task and queue, as the applications' processes report it?

Each process reports sums since it began to count, so a report that is lost or comes twice changes
nothing, and what a process counted stays here when it has ended. It is kept in memory only: a
process that counted before this server began is counted from its first report on.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields

MOST_ROWS = 1_000
MOST_COUNTERS = 20_000
MOST_QUEUES = 1_000
FRESH = 30.0
"""Seconds for which what was seen of a queue is told."""

MINUTE, BETWEEN = 60.0, 5.0
"""Seconds of the recent past that is told of, and between the marks it is reckoned from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """How often what happened to jobs; `waited_s` and `ran_s` are sums of seconds."""

    enqueued: int = 0
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    retried: int = 0
    ignored: int = 0
    deferred: int = 0
    dropped: int = 0
    waited_s: float = 0.0
    ran_s: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums(**{each: getattr(self, each) + getattr(other, each) for each in SUMS})

    @property
    def running(self) -> int:
        """Return how many have started and not ended."""
        ended = self.succeeded + self.failed + self.retried + self.ignored
        return max(0, self.started - ended)

    def __sub__(self, other: Sums) -> Sums:
        """Return the difference, nowhere less than nothing."""
        return Sums(**{each: max(0, getattr(self, each) - getattr(other, each)) for each in SUMS})


SUMS = tuple(each.name for each in fields(Sums))
NONE = Sums()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCount:
    """The sums of one process for one task and queue.

    Attributes:
        flag: that decides between two names, if one does; with `variant`, which of the two it is.
        seconds: for how long the process has counted these.
    """

    task: str
    queue: str
    flag: str = ""
    variant: str = ""
    seconds: float
    sums: Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many jobs of a task wait in a queue, and for how many seconds the oldest has."""

    task: str
    depth: int
    oldest_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSeen:
    """What somebody who looked saw in a queue.

    Attributes:
        tasks: None where the broker does not let others look at messages.
        exact: whether all messages were looked at, so that the tasks are all there are.
    """

    queue: str
    depth: int
    tasks: tuple[Waiting, ...] | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsReport:
    """What one process says of jobs; `ago` is how many seconds old it is."""

    counts: tuple[JobCount, ...] = ()
    queues: tuple[QueueSeen, ...] = ()
    ago: float = 0.0


NO_JOBS = JobsReport()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsRow:
    """All that is known of one task in one queue.

    Attributes:
        sums: since this server began.
        last_minute: the part of it that came in the last minute.
        depth: jobs of the task that wait there; None where nobody can say.
        exact: whether that is the number, not the least that it can be.
        oldest_s: for so long has the oldest of them waited.
        queue_depth: jobs of all tasks that wait there.
        running: jobs that those processes have begun and not ended.
        processes: so many have reported the task within a minute.
        heard_s: seconds since the last report.
    """

    environment: str
    task: str
    queue: str
    flag: str
    variant: str
    sums: Sums
    last_minute: Sums
    depth: int | None
    exact: bool
    oldest_s: float | None
    queue_depth: int | None
    running: int
    processes: int
    heard_s: float


_Place = tuple[str, str, str]
"""Environment, task and queue."""


@dataclass(slots=True)
class _Row:
    flag: str = ""
    variant: str = ""
    sums: Sums = NONE
    heard: float = 0.0
    processes: dict[str, float] = field(default_factory=dict)
    marks: deque[tuple[float, Sums]] = field(default_factory=deque)

    def add(self, more: Sums, instance: str, now: float) -> None:
        if not self.marks or now - self.marks[-1][0] >= BETWEEN:
            self.marks.append((now, self.sums))
        self.sums, self.heard = self.sums + more, now
        self.processes[instance] = now
        self.processes = {k: at for k, at in self.processes.items() if now - at <= MINUTE}

    def recent(self, now: float) -> Sums:
        while self.marks and now - self.marks[0][0] > MINUTE:
            self.marks.popleft()
        return self.sums - self.marks[0][1] if self.marks else NONE


class Jobs:
    """Adds up what processes report; bounded, and safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._since = clock()
        self._rows: OrderedDict[_Place, _Row] = OrderedDict()
        self._counters: OrderedDict[tuple[str, _Place], Sums] = OrderedDict()
        self._queues: OrderedDict[tuple[str, str], tuple[float, QueueSeen]] = OrderedDict()

    def take(self, environment: str, instance: str, report: JobsReport) -> None:
        """Take in one report; what has been silent longest makes room for what is new."""
        with self._lock:
            heard = self._clock() - report.ago
            for count in report.counts:
                self._count(environment, instance, count, heard)
            for seen in report.queues:
                place = (environment, seen.queue)
                if place not in self._queues or self._queues[place][0] <= heard:
                    self._queues[place] = (heard, seen)
                    self._queues.move_to_end(place)
                    if len(self._queues) > MOST_QUEUES:
                        self._queues.popitem(last=False)
                for waiting in seen.tasks or ():
                    self._row((environment, waiting.task, seen.queue))

    def rows(self) -> list[JobsRow]:
        """Return what is known, in the order of environments, tasks and queues."""
        with self._lock:
            now = self._clock()
            return [self._told(place, row, now) for place, row in sorted(self._rows.items())]

    def depths(self) -> Iterable[tuple[str, QueueSeen]]:
        """Return the environment and what was seen of each queue lately."""
        with self._lock:
            now = self._clock()
            return [
                (place[0], seen)
                for place, (at, seen) in sorted(self._queues.items())
                if now - at <= FRESH
            ]

    def _count(self, environment: str, instance: str, count: JobCount, heard: float) -> None:
        place = (environment, count.task, count.queue)
        counter = (instance, place)
        before = self._counters.get(counter)
        if before is None:
            # What began before us may have been counted, by us or by the server before.
            before = NONE if heard - count.seconds >= self._since else count.sums
        self._counters[counter] = count.sums
        self._counters.move_to_end(counter)
        if len(self._counters) > MOST_COUNTERS:
            self._counters.popitem(last=False)
            self._since = heard
        row = self._row(place)
        if count.flag:
            row.flag, row.variant = count.flag, count.variant
        row.add(count.sums - before, instance, heard)

    def _row(self, place: _Place) -> _Row:
        row = self._rows.setdefault(place, _Row(heard=self._clock()))
        self._rows.move_to_end(place)
        if len(self._rows) > MOST_ROWS:
            self._rows.popitem(last=False)
        return row

    def _told(self, place: _Place, row: _Row, now: float) -> JobsRow:
        environment, task, queue = place
        at, seen = self._queues.get((environment, queue), (now - 2 * FRESH, None))
        fresh = seen if now - at <= FRESH else None
        waiting: Waiting | None = None
        if fresh is not None and fresh.tasks is not None:
            found = (each for each in fresh.tasks if each.task == task)
            waiting = next(found, Waiting(task=task, depth=0))
        alive = [each for each, heard in row.processes.items() if now - heard <= MINUTE]
        return JobsRow(
            environment=environment,
            task=task,
            queue=queue,
            flag=row.flag,
            variant=row.variant,
            sums=row.sums,
            last_minute=row.recent(now),
            depth=waiting.depth if waiting else None,
            exact=fresh is not None and fresh.exact,
            oldest_s=waiting.oldest_s if waiting else None,
            queue_depth=fresh.depth if fresh else None,
            running=sum(self._counters.get((each, place), NONE).running for each in alive),
            processes=len(alive),
            heard_s=max(0.0, now - row.heard),
        )
