"""How many jobs and requests were there, by name and by the state of the flags?"""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path


class JobCounts:
    """Counts the lines of all job logs; reads only what was appended since the last time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: Counter[Path] = Counter()
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self._lock = threading.Lock()

    def read(self) -> dict[tuple[str, str, str, str], int]:
        """Return counts by class, queue, event and the states of the flags."""
        with self._lock:
            for path in self._folder.glob("jobs-*.jsonl"):
                self._read_file(path)
            return dict(self._counts)

    def _read_file(self, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._offsets[path])
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offsets[path] += len(line)
                job = json.loads(line)
                states = ",".join(job["feature_flag_states"])
                self._counts[job["class"], job["queue"], job["job_status"], states] += 1


class RequestCounts:
    """Counts answered requests by method and status."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()

    def add(self, method: str, status: int) -> None:
        with self._lock:
            self._counts[method, status] += 1

    def read(self) -> dict[tuple[str, int], int]:
        with self._lock:
            return dict(self._counts)


def render(jobs: JobCounts, requests: RequestCounts) -> str:
    """Return Prometheus' text format."""
    lines = [
        "# HELP app_jobs_total Events in the life of background jobs.",
        "# TYPE app_jobs_total counter",
    ]
    for (name, queue, event, states), count in sorted(jobs.read().items()):
        labels = f'class="{name}",queue="{queue}",event="{event}",feature_flags="{states}"'
        lines.append(f"app_jobs_total{{{labels}}} {count}")
    lines += [
        "# HELP app_requests_total Answered HTTP requests.",
        "# TYPE app_requests_total counter",
    ]
    for (method, status), count in sorted(requests.read().items()):
        lines.append(f'app_requests_total{{method="{method}",status="{status}"}} {count}')
    return "\n".join(lines) + "\n"
