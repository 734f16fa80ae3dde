"""How do the counts hear what becomes of a job in a worker?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery import signals

from flagstaff.workers.counts import Counts, Event
from flagstaff.workers.publishing import HEADER
from flagstaff.workers.rename import Rename

ENDS = {"SUCCESS": Event.SUCCEEDED, "FAILURE": Event.FAILED, "RETRY": Event.RETRIED}

Find = Callable[[Any, str], Rename | None]
"""Returns the rename that a name is part of, in an application."""


class Follower:
    """Counts starts and ends of the jobs of renames, in the process that runs them."""

    def __init__(self, counts: Counts, find: Find) -> None:
        self._counts, self._find = counts, find
        self._began = threading.local()

    def connect(self) -> None:
        """Listen to the signals of this process."""
        signals.task_prerun.connect(self.started, weak=False)
        signals.task_postrun.connect(self.ended, weak=False)

    def started(self, task: Any = None, task_id: str = "", **_: object) -> None:
        """Count a start, and how long the job waited since it was published or due."""
        if task is None or self._find(task.app, task.name) is None:
            return
        self._counts.add(task.name, Event.STARTED)
        waited = _waited(task.request)
        if waited is not None:
            self._counts.add(task.name, Event.WAITED, waited)
        vars(self._began)[task_id] = time.monotonic()

    def ended(
        self, task: Any = None, task_id: str = "", state: str | None = None, **_: object
    ) -> None:
        """Count an end, and how long the job ran."""
        began = vars(self._began).pop(task_id, None)
        if task is None or began is None:
            return
        self._counts.add(task.name, Event.RAN, time.monotonic() - began)
        if state in ENDS:
            self._counts.add(task.name, ENDS[state])


def _waited(request: Any) -> float | None:
    header = request.get(HEADER)
    if not isinstance(header, dict) or not isinstance(header.get("at"), int | float):
        return None
    since = float(header["at"])
    due = request.get("eta")
    if isinstance(due, str):
        try:
            since = max(since, datetime.fromisoformat(due).timestamp())
        except ValueError:
            return None
    return max(0.0, time.time() - since)
