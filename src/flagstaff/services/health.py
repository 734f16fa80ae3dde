"""Is production well, as whoever is configured to know it says?"""

from __future__ import annotations

import logging
import threading
import time

from flagstaff.errors import FlagstaffError
from flagstaff.rollouts.event import Answer
from flagstaff.services.ports import HealthCheck

FRESH = 15.0
"""Seconds for which the engine believes an answer."""

log = logging.getLogger(__name__)

ASKING = Answer(yes=False, text="it is being asked")


class Health:
    """Asks, and remembers the last answer: a person's request waits for it, the engine does not."""

    def __init__(self, check: HealthCheck | None) -> None:
        self._check = check
        self._lock = threading.Lock()
        self._answer: Answer | None = None
        self._at = 0.0
        self._asking = False

    def ask(self) -> Answer | None:
        """Return what is said now; `None` when there is nobody to ask. No answer is a no."""
        if self._check is None:
            return None
        try:
            answer = self._check()
        except FlagstaffError as exc:
            answer = Answer(yes=False, text=exc.message)
        except Exception as exc:
            log.exception("the production check has a fault")
            answer = Answer(yes=False, text=f"it has a fault: {type(exc).__name__}")
        with self._lock:
            self._answer, self._at = answer, time.monotonic()
        return answer

    def lately(self) -> Answer | None:
        """Return what was said a moment ago, or a no while it is being asked again."""
        if self._check is None:
            return None
        with self._lock:
            if self._answer is not None and time.monotonic() - self._at < FRESH:
                return self._answer
            begin, self._asking = not self._asking, True
            stale = self._answer
        if begin:
            threading.Thread(target=self._refresh, name="flagstaff-health", daemon=True).start()
        return stale if stale is not None and not stale.yes else ASKING

    def _refresh(self) -> None:
        try:
            self.ask()
        finally:
            with self._lock:
                self._asking = False
