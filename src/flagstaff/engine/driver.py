"""What makes the engine look, besides the engine itself?

Whatever drives it, what is due stands in the rows: a driver that wakes too late, twice or never
makes rollouts late, and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from flagstaff.engine.complaints import Complaints


class Driven(Protocol):
    """An engine, as far as a driver knows it."""

    def look(self) -> None:
        """Look at what is due, until nothing is."""
        ...

    def next_look(self, number: int) -> datetime | None:
        """Return when a rollout wants to be looked at again; `None` is never."""
        ...


class Driver(Protocol):
    """Makes an engine look when something is due."""

    def start(self, engine: Driven) -> None:
        """Begin."""
        ...

    def wake(self, number: int | None = None, at: datetime | None = None) -> None:
        """Have the engine look at a rollout, or at any, at a time, or at once."""
        ...

    def stop(self) -> None:
        """Finish the look at hand and end."""
        ...


class Loop:
    """Does one thing again and again, at once when woken, else every `poll` real seconds."""

    def __init__(
        self, name: str, work: Callable[[], None], complaints: Complaints, poll: float
    ) -> None:
        self._work = work
        self._complaints = complaints
        self._poll = poll
        self._name = name
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"flagstaff-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Go round once more at once."""
        self._woken.set()

    def stop(self) -> None:
        """Finish the round at hand and end."""
        self._stopping = True
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            with self._complaints.about(self._name):
                self._work()
            self._woken.wait(self._poll)


class BuiltIn:
    """Looks whenever something changes, and every `poll` real seconds."""

    def __init__(self, *, poll: float) -> None:
        self._poll = poll
        self._loop: Loop | None = None

    def start(self, engine: Driven) -> None:
        """Begin."""
        self._loop = Loop("looking", engine.look, Complaints(), self._poll)
        self._loop.start()

    def wake(self, number: int | None = None, at: datetime | None = None) -> None:
        """Look at once; what is due later is found when it is."""
        del number
        if at is None and self._loop is not None:
            self._loop.wake()

    def stop(self) -> None:
        """Finish the look at hand and end."""
        if self._loop is not None:
            self._loop.stop()
