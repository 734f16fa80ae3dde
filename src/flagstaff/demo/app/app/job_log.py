"""Where is it written what happened to each job?

One append-only file per process, one JSON object per line, one `write` per line: processes
never share a file, and a reader sees whole lines except perhaps the last.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from app.settings import settings


def now() -> datetime:
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds, such as `2022-06-01T12:00:00.000Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def write(role: str, fields: dict[str, object]) -> None:
    """Append one line to `jobs-<role>-<pid>.jsonl`."""
    line = json.dumps(fields, separators=(",", ":")) + "\n"
    os.write(_descriptor(settings.log_folder, role, os.getpid()), line.encode())


@cache
def _descriptor(folder: Path, role: str, pid: int) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"jobs-{role}-{pid}.jsonl"
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
