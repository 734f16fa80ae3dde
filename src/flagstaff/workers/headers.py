"""What of ours travels with a job of Celery?

Little, on purpose: a worker reads it from each message and writes it down again until the job is
done. A number costs it a fifth of what a mapping with that number does.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

AT = "flagstaff_at"
"""When the job was published, in Unix milliseconds."""

HEADER = "flagstaff"
"""Of some jobs: `flag` and `variant` of one that is renamed, `deferred` of one that was put off,
and `queue` where the routing key is not the name of its queue."""

_LATEST = 1 << 47
"""In the year 6429; a later time is no time."""

_DELAY = re.compile(r"(?:[01]\.){28}")
"""What RabbitMQ's native delayed delivery puts before a routing key: for how long, in bits."""

_NOTHING: dict[str, Any] = {}


def now() -> int:
    """Return the time for `AT`."""
    return int(time.time() * 1000)


def published_at(headers: Mapping[str, Any]) -> float | None:
    """Return when a job was published, in Unix seconds, where it says so."""
    at = headers.get(AT)
    return at / 1000 if isinstance(at, int) and 0 < at < _LATEST else None


def header_of(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else travels with a job; not to be changed."""
    found = headers.get(HEADER)
    return found if isinstance(found, dict) else _NOTHING


def undelayed(key: str) -> str:
    """Return a routing key without what delayed delivery put before it, else of each delay anew."""
    return _DELAY.sub("", key, count=1) if key[1:2] == "." else key
