"""How does work go on beside the application, also after a fork?"""

from __future__ import annotations

import _thread
import logging
import sys
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
    """One daemon thread that can be started anew in a forked child, where no thread survives.

    It is a bare thread: `threading.Thread.start` waits for its thread to run, which under gevent
    would enter the event loop in the middle of the fork.
    """

    def __init__(self, name: str, run: Callable[[Stop], None]) -> None:
        self._name, self._run = name, run
        self._started = False
        self._stop, self._ended = threading.Event(), threading.Event()

    def start(self) -> None:
        """Start, unless it runs already."""
        if not self._started:
            self._started = True
            self._stop, self._ended = threading.Event(), threading.Event()
            _thread.start_new_thread(self._work, (self._stop, self._ended))

    def after_fork(self) -> None:
        """Start again if it ran when the process was forked."""
        if self._started:
            stopped = self._stop.is_set()
            if threads_are_greenlets():
                # The parent's greenlet was copied into the child, and must not go on there. A lock
                # of a real thread, though, may be held for ever here: it is left alone.
                self._stop.set()
            self._started = False
            if not stopped:
                self.start()

    def stop(self, timeout: float) -> None:
        """End, and wait up to `timeout` seconds for it."""
        self._stop.set()
        if self._started and timeout > 0:
            self._ended.wait(timeout)

    def _work(self, stop: threading.Event, ended: threading.Event) -> None:
        threading.current_thread().name = f"flagstaff-{self._name}"
        try:
            self._run(stop)
        except Exception:
            log.exception("the thread %s ended; flags stay as they are", self._name)
        finally:
            ended.set()


def threads_are_greenlets() -> bool:
    """Return whether gevent has replaced threads, so that they survive a fork."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
