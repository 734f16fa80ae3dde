"""What became of background jobs in this process?"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from flagstaff.sdk.forking import survive

MOST = 1_000
"""Names and queues that are counted; code that makes names up must not fill the memory."""


class Event(StrEnum):
    """What happens to a job; `WAITED` and `RAN` are sums of seconds, the others numbers."""

    ENQUEUED = "enqueued"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETRIED = "retried"
    IGNORED = "ignored"
    DEFERRED = "deferred"
    DROPPED = "dropped"
    WAITED = "waited"
    RAN = "ran"

    # It is a key at each job, and the hash of an enumeration is Python's own.
    __hash__ = str.__hash__


# Looking a member up in its enumeration costs more than counting it.
_STARTED, _WAITED, _RAN = Event.STARTED, Event.WAITED, Event.RAN

WIRE = {Event.WAITED: "waited_s", Event.RAN: "ran_s"}
"""Events that have another name in a report, with their unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often one event happened to jobs of one name since the process began, or for how long."""

    name: str
    event: Event
    value: float


@dataclass(slots=True)
class Row:
    """The sums of one name and queue, and since when they count."""

    flag: str
    variant: str
    sums: dict[Event, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)


class Counts:
    """Sums by name, queue and event; a forked child begins with none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], Row] = {}
        survive(self)

    def add(
        self,
        name: str,
        queue: str,
        *events: tuple[Event, float],
        cohort: tuple[str, str] = ("", ""),
    ) -> None:
        """Count events, or add seconds.

        Args:
            name: of the job.
            queue: where it waits.
            events: each with its number or its seconds.
            cohort: the flag that decides between two names, and which of the two this is.
        """
        with self._lock:
            row = self._row(name, queue, cohort)
            if row is None:
                return
            sums = row.sums
            for event, value in events:
                sums[event] = sums.get(event, 0) + value

    def began(self, name: str, queue: str, waited: float, cohort: tuple[str, str]) -> Row | None:
        """Count a start, as `add` does, and return what `ended` wants to have.

        Every job passes both.
        """
        with self._lock:
            row = self._row(name, queue, cohort)
            if row is not None:
                sums = row.sums
                sums[_STARTED] = sums.get(_STARTED, 0) + 1
                sums[_WAITED] = sums.get(_WAITED, 0) + waited
        return row

    def ended(self, row: Row | None, how: Event, ran: float) -> None:
        """Count an end of what has begun."""
        if row is None:
            return
        with self._lock:
            sums = row.sums
            sums[_RAN] = sums.get(_RAN, 0) + ran
            sums[how] = sums.get(how, 0) + 1

    def _row(self, name: str, queue: str, cohort: tuple[str, str]) -> Row | None:
        """Return the sums of a name in a queue, `None` where there would be too many of them."""
        row = self._rows.get((name, queue))
        if row is None and len(self._rows) < MOST:
            row = self._rows[name, queue] = Row(*cohort)
        return row

    def totals(self) -> list[Count]:
        """Return every sum that is not nothing, of all queues, in the order of names."""
        found: dict[tuple[str, Event], float] = {}
        for name, _, row in self._snapshot():
            for event, value in row.sums.items():
                found[name, event] = found.get((name, event), 0) + value
        return [
            Count(name=name, event=event, value=value)
            for (name, event), value in sorted(found.items())
        ]

    def to_json(self) -> list[dict[str, object]]:
        """Return everything in its wire form."""
        now = time.monotonic()
        return [
            {
                "task": name,
                "queue": queue,
                "flag": row.flag,
                "variant": row.variant,
                "seconds": round(now - row.began, 3),
                **{WIRE.get(event, event.value): value for event, value in row.sums.items()},
            }
            for name, queue, row in self._snapshot()
        ]

    def _snapshot(self) -> Iterator[tuple[str, str, Row]]:
        with self._lock:
            found = [
                (name, queue, Row(row.flag, row.variant, dict(row.sums), row.began))
                for (name, queue), row in self._rows.items()
            ]
        yield from found

    def after_fork(self) -> None:
        """Leave the parent's counts to the parent."""
        self._lock = threading.Lock()
        self._rows = {}

    def close(self) -> None:
        """Do nothing: the client sends them when it closes."""
