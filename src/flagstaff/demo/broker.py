"""Which jobs are still waiting in the broker?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flagstaff.errors import MissingExtra, UsageError

_REDIS_UNACKNOWLEDGED = "unacked"


def waiting_jobs(broker: str) -> dict[str, str]:
    """Return the jobs that wait in a `spool://` or `redis://` broker: id to name.

    On Redis jobs that a worker has taken and not acknowledged count too; from files a worker
    takes one job at a time and starts it at once.

    Raises:
        UsageError: the broker is of another kind.
        MissingExtra: the Redis client is not installed.
    """
    match urlsplit(broker).scheme:
        case "spool":
            messages = _in_files(Path(urlsplit(broker).path))
        case "redis" | "rediss":
            messages = _in_redis(broker)
        case other:
            raise UsageError(
                f"cannot look into a {other}:// broker", hint="use spool:// or redis://"
            )
    return {message["headers"]["id"]: message["headers"]["task"] for message in messages}


def _in_files(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*/*.msg")):
        try:
            yield json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            # A worker took it between the listing and the reading.
            continue


def _in_redis(url: str) -> Iterator[dict[str, Any]]:
    try:
        import redis  # noqa: PLC0415 (an optional dependency)
    except ImportError as error:
        raise MissingExtra.named("celery", package="redis") from error
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(_type="list"):
            yield from (json.loads(message) for message in client.lrange(key, 0, -1))
        for entry in client.hvals(_REDIS_UNACKNOWLEDGED):
            yield json.loads(entry)[0]
