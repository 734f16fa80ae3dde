"""How is a line written for each start and end of a job, in the fields of GitLab's job logs?

One file for each process, one JSON object a line and one `write` for it: no line is ever mixed with
another, and guards that read job logs can follow them.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flagstaff.workers.headers import published_at

log = logging.getLogger("flagstaff")

FRAMES = 20
"""Lines of a traceback that are written, the innermost."""

Fields = dict[str, object]


def utc_now() -> datetime:
    """Return the time now."""
    return datetime.now(UTC)


class JobLog:
    """Writes to `jobs-PID.jsonl` in a folder.

    Args:
        folder: made when the first line is written.
        clock: returns the time now, with its zone.
    """

    def __init__(
        self, folder: str | os.PathLike[str], clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._folder, self._clock = Path(folder), clock
        self._file: tuple[int, int] = (0, -1)

    def started(self, request: Any, common: Fields, *, waited: float) -> None:
        """Write that a job starts; `waited` is in seconds."""
        self._write(
            {
                **common,
                "message": f"{common['class']} JID-{request.id}: start",
                "job_status": "start",
                "scheduling_latency_s": round(waited, 6),
            }
        )

    def ended(
        self, request: Any, common: Fields, status: str, *, ran: float, error: BaseException | None
    ) -> None:
        """Write that a job ended; `ran` is in seconds.

        Args:
            request: Celery's, of the job.
            common: what `fields` returned.
            status: `done`, `fail`, `retry`, `deferred` or `dropped`.
            ran: for so many seconds.
            error: why it failed or is tried again.
        """
        words = f"{common['class']} JID-{request.id}: {status}: {ran:.6f} sec"
        more: Fields = {"message": words, "job_status": status, "duration_s": round(ran, 6)}
        more["completed_at"] = timestamp(self._clock())
        if error is not None:
            frames = traceback.format_tb(error.__traceback__)[-FRAMES:]
            more |= {
                "severity": "WARN",
                "exception.class": type(error).__name__,
                "exception.message": _said(error),
                "exception.backtrace": [line for each in frames for line in each.splitlines()],
            }
        self._write({**common, **more})

    def skipped(self, request: Any, common: Fields, action: str, *, times: int) -> None:
        """Write that a switch put a job off for the so-manieth time, or dropped it."""
        more: Fields = {"job_deferred_by": "feature_flag", "deferred_count": times}
        self.ended(
            request, common | (more if action == "deferred" else {}), action, ran=0.0, error=None
        )

    def fields(self, name: str, queue: str, request: Any, header: Mapping[str, Any]) -> Fields:
        """Return what all lines of a try have."""
        found: Fields = {
            "severity": "INFO",
            "class": name,
            "queue": queue,
            "jid": request.id,
            "retry": request.retries,
            "pid": os.getpid(),
        }
        if (at := published_at(vars(request))) is not None:
            found["enqueued_at"] = timestamp(datetime.fromtimestamp(at, UTC))
        if request.root_id:
            found["correlation_id"] = request.root_id
        if header.get("flag"):
            found |= {"feature_flag": header["flag"], "variant": header.get("variant")}
        return found

    def _write(self, fields: Fields) -> None:
        line = json.dumps({**fields, "time": timestamp(self._clock())}, default=str) + "\n"
        try:
            os.write(self._descriptor(), line.encode(errors="replace"))
        except OSError as exc:  # a job must not fail because a disk is full
            log.warning("no job log is written to %s: %s", self._folder, exc)

    def _descriptor(self) -> int:
        pid, descriptor = self._file
        if pid != os.getpid():
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"jobs-{os.getpid()}.jsonl"
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            self._file = (os.getpid(), descriptor)
        return descriptor


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as exc:  # noqa: BLE001 - it is the team's, and a job must not fail over it
        return f"<{type(exc).__name__} while it was written>"


def timestamp(moment: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds, such as `2022-06-01T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
