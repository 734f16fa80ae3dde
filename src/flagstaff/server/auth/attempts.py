"""Has somebody guessed too often?"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping

from flagstaff.errors import Throttled

WINDOW = 600.0
"""Seconds in which tries are counted."""

MOST_KEYS = 10_000


class Attempts:
    """Counts tries by key; bounded, and safe from any thread.

    A try counts from its beginning, so that many at once are no way around the limit.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, limits: Mapping[str, int]) -> None:
        """Count a try under each key, unless one of them has had as many as its limit.

        Raises:
            Throttled: it has; the hint says how long to wait.
        """
        with self._lock:
            longest = max(self._wait(key, most) for key, most in limits.items())
            if longest > 0:
                raise Throttled(
                    "there were too many wrong tries",
                    hint=f"try again in {int(longest) // 60 + 1} minutes",
                )
            for key in limits:
                self._tries.setdefault(key, deque()).append(self._clock())
                self._tries.move_to_end(key)
            while len(self._tries) > MOST_KEYS:
                self._tries.popitem(last=False)

    def succeeded(self, *keys: str) -> None:
        """Take the last try back: somebody knew the password."""
        with self._lock:
            for key in keys:
                if tries := self._tries.get(key):
                    tries.pop()

    def _wait(self, key: str, most: int) -> float:
        tries = self._tries.get(key)
        now = self._clock()
        while tries and tries[0] + WINDOW <= now:
            tries.popleft()
        if tries is None or len(tries) < most:
            return 0.0
        return tries[len(tries) - most] + WINDOW - now
