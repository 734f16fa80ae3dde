"""What became of the jobs of both names in this process?"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

from flagstaff.sdk.forking import survive


class Event(StrEnum):
    """What happens to a job; `WAITED` and `RAN` are sums of seconds, the others numbers."""

    ENQUEUED = "enqueued"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETRIED = "retried"
    WAITED = "waited"
    RAN = "ran"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often one event happened to jobs of one name since the process began, or for how long."""

    name: str
    event: Event
    value: float


class Counts:
    """Sums by name and event; a forked child begins with none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: dict[tuple[str, Event], float] = {}
        survive(self)

    def add(self, name: str, event: Event, value: float = 1) -> None:
        """Count an event, or add seconds."""
        with self._lock:
            key = (name, event)
            self._sums[key] = self._sums.get(key, 0) + value

    def totals(self) -> list[Count]:
        """Return every sum that is not nothing, in the order of names."""
        with self._lock:
            found = dict(self._sums)
        return [
            Count(name=name, event=event, value=value)
            for (name, event), value in sorted(found.items())
        ]

    def after_fork(self) -> None:
        """Leave the parent's counts to the parent."""
        self._lock = threading.Lock()
        self._sums = {}

    def close(self) -> None:
        """Do nothing: the counts are read, not sent."""
