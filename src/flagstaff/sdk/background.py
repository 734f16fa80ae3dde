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
    """One daemon thread that can be started anew in a forked child, where no thread survives."""

    def __init__(self, name: str, run: Callable[[Stop], None]) -> None:
        self._name, self._run = name, run
        self._started = False
        self._stop, self._ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> bool:
        """Start, unless it runs already; return False where no thread can be started."""
        if self._started:
            return True
        self._stop, self._ended = threading.Event(), threading.Event()
        try:
            self._thread = self._start((self._stop, self._ended))
        except RuntimeError as exc:
            log.warning("flags stay as they are now: the thread %s: %s", self._name, exc)
            return False
        self._started = True
        return True

    def _start(self, work: tuple[threading.Event, threading.Event]) -> threading.Thread | None:
        if threads_are_greenlets():
            # `Thread.start` waits for its thread to run: after a fork, that would enter the event
            # loop before gevent has put it right.
            _thread.start_new_thread(self._work, work)
            return None
        name = f"flagstaff-{self._name}"
        thread = threading.Thread(target=self._work, args=work, name=name, daemon=True)
        thread.start()
        return thread

    def after_fork(self) -> None:
        """Start again if it ran when the process was forked."""
        if self._started:
            stopped = self._stop.is_set()
            if threads_are_greenlets():
                # The parent's greenlet was copied into the child, and must not go on there. A lock
                # of a real thread, though, may be held for ever here: it is left alone.
                self._stop.set()
            self._started, self._thread = False, None
            if not stopped:
                self.start()

    def stop(self, timeout: float) -> None:
        """End, and wait up to `timeout` seconds for it."""
        self._stop.set()
        if self._started and timeout > 0:
            self._ended.wait(timeout)
            if self._thread is not None and self._ended.is_set():
                # It has nothing left to do, but an interpreter must not end before it has.
                self._thread.join(timeout)

    def _work(self, stop: threading.Event, ended: threading.Event) -> None:
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
