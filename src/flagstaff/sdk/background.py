"""How does work go on beside the application, also after a fork?"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger("flagstaff")


class Stop(Protocol):
    """What a running piece of work looks at to know when to end."""

    def is_set(self) -> bool:
        """Return whether it shall end."""

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; return whether it shall end."""


class Background:
    """One daemon thread that can be started anew in a forked child, where no thread survives."""

    def __init__(self, name: str, run: Callable[[Stop], None]) -> None:
        self._name, self._run = name, run
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start, unless it runs already."""
        if self._thread is None:
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=self._work, args=(self._stop,), name=f"flagstaff-{self._name}", daemon=True
            )
            self._thread.start()

    def after_fork(self) -> None:
        """Start again if it ran when the process was forked."""
        if self._thread is not None:
            self._thread = None
            if not self._stop.is_set():
                self.start()

    def stop(self, timeout: float) -> None:
        """End, and wait up to `timeout` seconds for it."""
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _work(self, stop: threading.Event) -> None:
        try:
            self._run(stop)
        except Exception:
            log.exception("the thread %s ended; flags stay as they are", self._name)
