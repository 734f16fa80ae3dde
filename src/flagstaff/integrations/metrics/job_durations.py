"""How long did each job take that is not in the evidence yet, as the job logs tell it?

A duration that is compared twice is evidence twice. So a log is read on from the place that was
committed with the evidence, and is known by what is in it, not by what its file is called: after a
rotation by rename or by copy, and by the next process, it is read on where it was left.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

from flagstaff.integrations.metrics.job_logs import ending, log_files, pieces
from flagstaff.rollouts.guard import Arm, Guard, Kept, Measurement
from flagstaff.rollouts.query import LogPlace, Place

HEAD: Final = 1024
TAIL: Final = 256
"""Bytes of the first line at most, and before the place, by which a log is known again."""

SKEW: Final = timedelta(days=1)
"""What was written so long before the flag changed last cannot count: whatever clocks say."""

MOST: Final = 1_000
"""Logs of one stage that are remembered: without its place, one that comes back counts twice."""

LONGEST: Final = 1e9
"""Seconds that a length of time can hold."""


class JobDurations:
    """Reads what single jobs took since the last reading that is in the evidence.

    In doubt a line counts nowhere. Of all files that begin with the same line only the longest is
    read, for the others are copies of it; and nothing is read from a file that was shortened or
    written anew under its old first line.

    Args:
        root: what the guard's patterns are relative to.
        guard: which logs and names.
    """

    def __init__(self, root: Path, guard: Guard) -> None:
        self._root, self._guard = root, guard
        self._names = {*guard.control, *guard.treatment}

    def measure(self, kept: Kept, now: datetime) -> Measurement:
        """Return what is new, on top of the counts that are in the evidence.

        Only jobs count that were published, and began, after the flag changed last. Of those from
        before, the long ones alone are left, and most of them under the old names.

        Args:
            kept: where the evidence ends.
            now: real time.
        """
        begins = max((kept.since, *kept.changes))
        on: list[float] = []
        off: list[float] = []

        def take(line: bytes) -> None:
            job = ending(line, self._names)
            if job is None or job.lasted is None or job.lasted < 0:
                return
            late = job.at - begins < timedelta(seconds=min(job.lasted, LONGEST))
            if late or (job.published is not None and job.published < begins):
                return
            (on if job.name in self._guard.treatment else off).append(job.lasted)

        try:
            paths = log_files(self._root, self._guard)
            logs = read_on(paths, kept.place.logs, take, not_before=begins - SKEW, now=now)
        except (OSError, ValueError) as exc:
            return Measurement(guard=self._guard.name, error=str(exc))
        return Measurement(
            guard=self._guard.name,
            treatment=kept.treatment + Arm(total=len(on)),
            control=kept.control + Arm(total=len(off)),
            place=Place(at=now, logs=logs),
            on_durations=tuple(on),
            off_durations=tuple(off),
        )


def read_on(
    paths: Iterable[Path],
    places: Iterable[LogPlace],
    take: Callable[[bytes], None],
    *,
    not_before: datetime,
    now: datetime,
) -> tuple[LogPlace, ...]:
    """Hand every new line to `take`, and return how far the logs have been read by then.

    Args:
        paths: of the files that there are.
        places: how far they were read before, whatever they were called.
        take: is called with each line.
        not_before: real time; what was written last before it is not looked at, nor remembered.
        now: real time.

    Raises:
        OSError: a file cannot be read.
        ValueError: there are more logs than can be told apart.
    """
    known = {each.head: each for each in places if each.at >= not_before}
    alike: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for path in paths:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            head = _head(file)
        if head and about.st_mtime >= not_before.timestamp():
            alike[head].append((about.st_size, path))
    for head, files in alike.items():
        if head not in known and len(known) >= MOST:
            raise ValueError(f"more than {MOST:,} logs: which lines are new cannot be told")
        before = known.get(head, LogPlace(head=head, offset=0, tail=_digest(b""), at=now))
        known[head] = _furthest(sorted(files, reverse=True), before, take, now)
    return tuple(known.values())


def _furthest(
    files: Iterable[tuple[int, Path]], place: LogPlace, take: Callable[[bytes], None], now: datetime
) -> LogPlace:
    """Read on in the longest of the files that begin alike and hold what was read before."""
    for _, path in files:
        with path.open("rb") as file:
            if _head(file) != place.head:
                continue  # it was replaced at this moment
            begins = max(0, place.offset - TAIL)
            file.seek(begins)
            tail = file.read(place.offset - begins)
            if _digest(tail) != place.tail:
                continue
            offset = place.offset
            for piece in pieces(file, offset):
                offset += len(piece)
                tail = (tail + piece)[-TAIL:]
                for line in piece.splitlines():
                    take(line)
            if offset == place.offset:
                return place
            return replace(place, offset=offset, tail=_digest(tail), at=now)
    return place


def _head(file: BinaryIO) -> str:
    """Return the digest of the first line, or of the first bytes of a long one; empty for none."""
    file.seek(0)
    line = file.readline(HEAD)
    return _digest(line) if line.endswith(b"\n") or len(line) == HEAD else ""


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
