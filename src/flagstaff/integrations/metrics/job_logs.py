"""How many jobs finished and failed under each name, as the job logs tell it?

The logs are JSON lines shaped like Sidekiq's: `class` is the job's name, `job_status` is `done` or
`fail` when it ends, `completed_at` (else `time`) says when, `duration_s` (else `duration`, or
`elapsed`) how many seconds it took. Other lines are passed over.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf, isfinite
from pathlib import Path
from typing import Any, BinaryIO

from flagstaff.rollouts.guard import Arm, Guard, Measurement

BAD, GOOD = "fail", "done"
ENDINGS = {BAD, GOOD}
LASTED = ("duration_s", "duration", "elapsed")
CHUNK = 1 << 20
HEAD = 256

BASELINE = timedelta(days=1)
"""How long before watching began jobs under the old names count as baseline, in real time: after a
step straight to everybody none run at the same time any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of one job: the seconds it took and when it was published, if the line says so."""

    name: str
    status: str
    at: datetime
    lasted: float | None
    published: datetime | None


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a file has been read, and the bytes it begins with, by which it is known again."""

    offset: int = 0
    head: bytes = b""


class JobLogs:
    """Counts the endings of one guard's jobs since a moment; each line is read once.

    A file is followed through renames; one that is cut short or replaced is read from its start.
    The copies that a `copytruncate` rotation leaves must not match: they would count twice.

    Args:
        root: what the guard's patterns are relative to.
        since: real time from which jobs count; under the old names those of `BASELINE` before are
            counted apart.
    """

    def __init__(self, root: Path, guard: Guard, since: datetime) -> None:
        self._root = root
        self._guard = guard
        self._since = since
        self._names = {*guard.control, *guard.treatment}
        self._read: dict[tuple[int, int], _Place] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._earlier: Counter[tuple[str, str]] = Counter()

    def measure(self) -> Measurement:
        """Return the counts, with what the files hold by now."""
        try:
            paths = log_files(self._root, self._guard)
            for path in paths:
                self._follow(path)
        except (OSError, ValueError) as exc:
            return Measurement(guard=self._guard.name, error=str(exc))
        return Measurement(
            guard=self._guard.name,
            treatment=_arm(self._counts, self._guard.treatment),
            control=_arm(self._counts, self._guard.control),
            baseline=_arm(self._earlier, self._guard.control),
        )

    def _follow(self, path: Path) -> None:
        """Read on from where the last reading of this file ended, whole lines only."""
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            identity = (about.st_dev, about.st_ino)
            place = self._read.get(identity, _Place())
            start = place.offset
            if about.st_size < start or file.read(len(place.head)) != place.head:
                start = 0
            for piece in pieces(file, start):
                start += len(piece)
                for line in piece.splitlines():
                    self._count(line)
            file.seek(0)
            self._read[identity] = _Place(start, file.read(min(HEAD, start)))

    def _count(self, line: bytes) -> None:
        job = ending(line, self._names)
        if job is None:
            return
        status = job.status
        if self._guard.slower_than or self._guard.ranked:
            if job.lasted is None:
                return
            status = BAD if job.lasted > (self._guard.slower_than or inf) else GOOD
        if job.at >= self._since:
            self._counts[job.name, status] += 1
        elif job.at >= self._since - BASELINE:
            self._earlier[job.name, status] += 1


def log_files(root: Path, guard: Guard) -> list[Path]:
    """Return the guard's logs, in order.

    Raises:
        ValueError: there is none, or a pattern is none.
    """
    found = sorted({path for each in guard.logs for path in _files(root, each)})
    if not found:
        raise ValueError(f"no file matches {', '.join(guard.logs)}")
    return found


def pieces(file: BinaryIO, start: int) -> Iterator[bytes]:
    """Yield the whole lines from `start` on, many at a time; one that is unfinished waits."""
    file.seek(start)
    while chunk := file.read(CHUNK):
        end = chunk.rfind(b"\n") + 1
        if not end and len(chunk) == CHUNK:
            end = CHUNK  # no line of a job is so long: what is left of it is no JSON either
        if not end:
            return
        yield chunk[:end]
        start += end
        file.seek(start)


def ending(line: bytes, names: Collection[str]) -> Ended | None:
    """Return which job of one of these names ended, if that is what the line says."""
    try:
        entry = json.loads(line)
        name, status = entry["class"], entry["job_status"]
        if status not in ENDINGS or name not in names:
            return None
        at = _moment(entry.get("completed_at") or entry["time"])
        return Ended(
            name=name,
            status=status,
            at=at,
            lasted=_lasted(entry),
            published=_published(entry),
        )
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None


def _files(root: Path, pattern: str) -> Iterator[Path]:
    path = Path(pattern)
    base, relative = root, pattern
    if path.is_absolute():
        base, relative = Path(path.anchor), str(path.relative_to(path.anchor))
    return (found for found in base.glob(relative) if found.is_file())


def _arm(counts: Counter[tuple[str, str]], names: tuple[str, ...]) -> Arm:
    failed = sum(counts[name, BAD] for name in names)
    return Arm(total=failed + sum(counts[name, GOOD] for name in names), failed=failed)


def _lasted(entry: Mapping[str, object]) -> float | None:
    """Return for how many seconds a job ran, if the line says so."""
    for key in LASTED:
        value = entry.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            with suppress(OverflowError):  # a whole number that no float can hold
                if isfinite(value):
                    return float(value)
    return None


def _published(entry: Mapping[str, Any]) -> datetime | None:
    """Return when a job was published, if the line says so in a way that can be read."""
    with suppress(ValueError, KeyError, TypeError, OverflowError, OSError):
        return _moment(entry["enqueued_at"])
    return None


def _moment(value: str | float) -> datetime:
    """Return the time that a log names: ISO 8601, UTC if it says no zone, or Unix seconds."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
