"""Has somebody guessed too often?"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from flagstaff.errors import Throttled

MOST = 10
"""Wrong tries for one name or from one address within `WINDOW`."""

WINDOW = 600.0
"""Seconds."""

MOST_KEYS = 10_000


class Attempts:
    """Counts wrong tries by key; bounded, and safe from any thread.

    Args:
        clock: seconds that only ever grow.
        most: how many are let pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, *keys: str) -> None:
        """Let a try pass unless one of its keys has failed too often.

        Raises:
            Throttled: it has; the hint says how long to wait.
        """
        with self._lock:
            waits = [self._wait(key) for key in keys]
        if (longest := max(waits)) > 0:
            raise Throttled(
                "there were too many wrong tries",
                hint=f"try again in {int(longest) // 60 + 1} minutes",
            )

    def failed(self, *keys: str) -> None:
        """Count a wrong try."""
        with self._lock:
            for key in keys:
                self._failed.setdefault(key, deque(maxlen=self._most)).append(self._clock())
                self._failed.move_to_end(key)
            while len(self._failed) > MOST_KEYS:
                self._failed.popitem(last=False)

    def forget(self, key: str) -> None:
        """Begin anew for a key: somebody knew the password."""
        with self._lock:
            self._failed.pop(key, None)

    def _wait(self, key: str) -> float:
        tries = self._failed.get(key)
        if tries is None or len(tries) < self._most:
            return 0.0
        return tries[0] + WINDOW - self._clock()
