"""How does the server learn which process answers from which snapshot, and how often?"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from flagstaff.errors import Unavailable
from flagstaff.sdk.asking import Asked
from flagstaff.sdk.background import Background, Stop
from flagstaff.sdk.backoff import jittered
from flagstaff.sdk.crowds import Part
from flagstaff.sdk.exposures import Exposure, Exposures
from flagstaff.sdk.holder import Holder
from flagstaff.sdk.outcomes import Outcome
from flagstaff.sdk.transport import Address, Transport

BATCH = 1_000
"""Counts in one report; more are sent in several."""

AT_ONCE = 1.5
"""Seconds between reports while outcomes or jobs are counted: guards and people wait for them."""

Results = Callable[[], list[Outcome]]
"""Returns all outcomes counted so far."""

More = Mapping[str, list[dict[str, object]]]
"""Parts of a report that somebody else counts, each all that was counted so far."""

Look = Callable[[], list[Asked]]
"""Returns what was seen of the questions since the last call."""

_WEB = ("gunicorn", "uwsgi", "uvicorn", "hypercorn", "daphne", "waitress", "mod_wsgi", "granian")
_WORKER = ("celery", "dramatiq", "rq", "rqworker", "huey", "procrastinate", "arq", "taskiq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which program this process runs.

    Attributes:
        application: its name.
        kind: `web`, `worker` or any other word.
        version: of the program, or the commit it was built from.
    """

    application: str
    kind: str
    version: str


class Telemetry:
    """Sends a heartbeat with the counts, every few seconds; what cannot be sent is given up."""

    def __init__(  # noqa: PLR0913, PLR0917 it is where everything about a process comes together
        self,
        address: Address,
        identity: Identity,
        holder: Holder,
        exposures: Exposures,
        look: Look,
        interval: float,
        results: Results = list,
    ) -> None:
        self._address, self._identity = address, identity
        self._holder, self._exposures = holder, exposures
        self._look, self._interval, self._results = look, interval, results
        self._instance = new_instance()
        self._transport = Transport(address)
        self._background = Background("telemetry", self._run)
        self._others: list[Callable[[], More]] = []

    def add(self, other: Callable[[], More]) -> None:
        """Send what `other` returns with every report, from now on more often."""
        if other not in self._others:
            self._others.append(other)

    def start(self) -> None:
        """Begin to send."""
        self._background.start()

    def after_fork(self) -> None:
        """Become another instance, with its own connection."""
        self._instance = new_instance()
        self._transport = Transport(self._address)
        self._background.after_fork()

    def close(self, timeout: float) -> None:
        """Send what is left, and end; waits up to about `timeout` seconds."""
        self._background.stop(timeout)

    def _run(self, stop: Stop) -> None:
        counts, waited = False, 0.0
        while not stop.wait(pause := jittered(min(self._interval, AT_ONCE))):
            waited += pause
            if counts or self._others or waited >= self._interval:
                counts, waited = self._send(), 0.0
        self._send()

    def _send(self) -> bool:
        """Send what there is; return whether outcomes are counted."""
        known = self._holder.compiled.snapshot.flags
        taken = self._exposures.take(known)
        unknown = self._exposures.take_unknown(known) if self._holder.ready else {}
        asked = [each.to_json() for each in self._look()[:BATCH]]
        outcomes = [each.to_json() for each in self._results()]
        counts = bool(outcomes)
        others = {name: part for other in self._others for name, part in other().items()}
        crowds, parts = self._holder.crowds, self._holder.crowds.take()
        # The first report is sent even without counts: it is the sign of life.
        for start in range(0, max(1, len(taken)), BATCH):
            batch = taken[start : start + BATCH]
            try:
                more = {"asked": asked, "outcomes": outcomes, **others}
                actors = {"actors": [each.to_json() for each in parts]} if parts else {}
                self._transport.telemetry({**self._report(batch, unknown), **more, **actors})
            except Unavailable:
                lost = sum(each.count for each in batch) + sum(unknown.values())
                self._exposures.drop(lost)
                parts = []  # they are said again in the next report
            unknown, asked, outcomes, others = {}, [], [], {}
            parts = crowds.take() if crowds.taken(parts) and parts else []
        self._send_actors(parts)
        return counts

    def _send_actors(self, parts: list[Part]) -> None:
        """Send what is left to say of actors, until it is said or the server does not answer."""
        crowds = self._holder.crowds
        while parts:
            try:
                actors = {"actors": [each.to_json() for each in parts]}
                self._transport.telemetry({**self._report([], {}), **actors})
            except Unavailable:
                return
            parts = crowds.take() if crowds.taken(parts) else []

    def _report(self, batch: list[Exposure], unknown: Mapping[str, int]) -> dict[str, object]:
        snapshot = self._holder.compiled.snapshot
        return {
            "application": self._identity.application,
            "instance": self._instance,
            "kind": self._identity.kind,
            "version": self._identity.version,
            "snapshot_version": snapshot.version,
            "environment": snapshot.environment,
            "exposures": [each.to_json() for each in batch],
            "unknown": [
                {"flag": flag, "count": count}
                for flag, count in unknown.items()
                if flag.isprintable()  # half a surrogate pair has no place in UTF-8
            ],
        }


def new_instance() -> str:
    """Return a name for this process that no other has."""
    node = os.uname().nodename if hasattr(os, "uname") else "host"
    return f"{node}:{os.getpid()}:{uuid4().hex[:8]}"


def guessed_kind() -> str:
    """Return `web` or `worker` if the program's name says so, else `process`."""
    words = [Path(word).name for word in [sys.argv[0], *sys.orig_argv[:4]] if word]
    if any(word.startswith(_WORKER) for word in words):
        return "worker"
    return "web" if any(word.startswith(_WEB) for word in words) else "process"
