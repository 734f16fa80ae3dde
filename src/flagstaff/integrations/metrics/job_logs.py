"""How many jobs finished and failed under each name, as the job logs tell it?

The logs are JSON lines shaped like Sidekiq's: `class` is the job's name, `job_status` is `done` or
`fail` when it ends, `completed_at` (else `time`) says when. Other lines are passed over.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from flagstaff.rollouts.guard import Arm, Guard, Measurement

ENDINGS = {"done", "fail"}
CHUNK = 1 << 20


class JobLogs:
    """Counts the endings of one guard's jobs since a moment; each line is read once.

    Args:
        root: what the guard's patterns are relative to.
        since: real time; jobs that ended before do not count.
    """

    def __init__(self, root: Path, guard: Guard, since: datetime) -> None:
        self._root = root
        self._guard = guard
        self._since = since
        self._read: dict[tuple[int, int], int] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._names = {*guard.control, *guard.treatment}

    def measure(self) -> Measurement:
        """Return the counts, with what the files hold by now."""
        paths = sorted({path for each in self._guard.logs for path in self._root.glob(each)})
        if not paths:
            patterns = ", ".join(self._guard.logs)
            return Measurement(guard=self._guard.name, error=f"no file matches {patterns}")
        try:
            for path in paths:
                self._follow(path)
        except OSError as exc:
            return Measurement(guard=self._guard.name, error=str(exc))
        return Measurement(
            guard=self._guard.name,
            treatment=self._arm(self._guard.treatment),
            control=self._arm(self._guard.control),
        )

    def _arm(self, names: tuple[str, ...]) -> Arm:
        failed = sum(self._counts[name, "fail"] for name in names)
        return Arm(total=failed + sum(self._counts[name, "done"] for name in names), failed=failed)

    def _follow(self, path: Path) -> None:
        """Read on from where the last reading of this file ended, whole lines only."""
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            identity = (about.st_dev, about.st_ino)
            start = self._read.get(identity, 0)
            if about.st_size < start:
                start = 0  # the file was truncated and begins anew
            file.seek(start)
            while chunk := file.read(CHUNK):
                end = chunk.rfind(b"\n") + 1
                if not end:
                    break
                for line in chunk[:end].splitlines():
                    self._count(line)
                start += end
                file.seek(start)
            self._read[identity] = start

    def _count(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            name, status = entry["class"], entry["job_status"]
            if status not in ENDINGS or name not in self._names:
                return
            ended = datetime.fromisoformat(entry.get("completed_at") or entry["time"])
        except (ValueError, KeyError, TypeError):
            return
        if ended.tzinfo is None:
            ended = ended.replace(tzinfo=UTC)
        if ended >= self._since:
            self._counts[name, status] += 1
