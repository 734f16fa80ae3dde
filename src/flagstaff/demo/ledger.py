"""Did every enqueued job succeed or fail, exactly once?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

_GRACE = timedelta(seconds=5)
_LONGEST_JOB = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The books at one moment.

    `enqueued`, `succeeded` and `failed` count jobs by name; the sets hold job ids. `moving` ones
    are on their way between two places; `unannounced` ones ran, but no producer wrote of them.
    """

    enqueued: Mapping[str, int]
    succeeded: Mapping[str, int]
    failed: Mapping[str, int]
    waiting: frozenset[str]
    running: frozenset[str]
    moving: frozenset[str]
    lost: frozenset[str]
    doubled: frozenset[str]
    unannounced: frozenset[str]

    @property
    def settled(self) -> bool:
        """Say whether nothing more is to come: each job has ended or is lost."""
        return not (self.waiting or self.running or self.moving)


@dataclass(slots=True)
class _Job:
    name: str
    seen: datetime
    enqueued: bool = False
    started: bool = False
    ends: int = 0


class LedgerReader:
    """Reads the job logs of all processes, each time only what was appended since the last.

    A job without an end that is neither waiting nor running is on its way between two places,
    or lost. It is called lost when nothing was heard of it for `grace`; a running one when it
    runs for longer than `longest_job`, because then its worker was killed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        grace: timedelta = _GRACE,
        longest_job: timedelta = _LONGEST_JOB,
    ) -> None:
        self._folder = folder
        self._grace = grace
        self._longest_job = longest_job
        self._offsets: Counter[Path] = Counter()
        self._jobs: dict[str, _Job] = {}
        self._open: set[str] = set()
        self._doubled: set[str] = set()
        self._unannounced: set[str] = set()
        self._enqueued: Counter[str] = Counter()
        self._succeeded: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def read(self, waiting: Collection[str], *, now: datetime) -> Ledger:
        """Return the books.

        Args:
            waiting: ids of the jobs in the broker, looked up *before* this call: a job that is
                taken in between is then found in the logs, not missed in both places.
            now: the present, aware.
        """
        for path in sorted(self._folder.glob("jobs-*.jsonl")):
            self._read_file(path)
        still_waiting = self._waiting(waiting, now)
        running = {job for job in self._open if self._jobs[job].started} - still_waiting
        abandoned = {job for job in running if self._silent(job, now) > self._longest_job}
        missing = self._open - still_waiting - running
        lost = {job for job in missing if self._silent(job, now) >= self._grace}
        return Ledger(
            enqueued=dict(self._enqueued),
            succeeded=dict(self._succeeded),
            failed=dict(self._failed),
            waiting=frozenset(still_waiting),
            running=frozenset(running - abandoned),
            moving=frozenset(missing - lost),
            lost=frozenset(lost | abandoned),
            doubled=frozenset(self._doubled),
            unannounced=frozenset(self._unannounced),
        )

    def _waiting(self, waiting: Collection[str], now: datetime) -> set[str]:
        found = {job for job in waiting if job in self._open}
        for job in found:
            self._jobs[job].seen = now
        return found

    def _silent(self, job: str, now: datetime) -> timedelta:
        return now - self._jobs[job].seen

    def _read_file(self, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._offsets[path])
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offsets[path] += len(line)
                self._enter(json.loads(line))

    def _enter(self, line: Mapping[str, str]) -> None:
        identity, name = line["jid"], line["class"]
        at = datetime.fromisoformat(line["time"])
        job = self._jobs.setdefault(identity, _Job(name, at))
        job.seen = max(job.seen, at)
        match line["job_status"]:
            case "enqueued":
                job.enqueued = True
                self._enqueued[name] += 1
            case "start":
                job.started = True
            case "done":
                self._end(identity, job, self._succeeded)
            case "fail":
                self._end(identity, job, self._failed)
        if job.enqueued:
            self._unannounced.discard(identity)
        else:
            self._unannounced.add(identity)
        if job.ends:
            self._open.discard(identity)
        elif job.enqueued:
            self._open.add(identity)

    def _end(self, identity: str, job: _Job, counts: Counter[str]) -> None:
        job.ends += 1
        if job.ends == 1:
            counts[job.name] += 1
        else:
            self._doubled.add(identity)
