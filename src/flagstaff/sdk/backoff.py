"""How long is waited before the next attempt?"""

from __future__ import annotations

import random


class Backoff:
    """Delays in seconds that double from `first` to `longest`, each taken at random from its half.

    The chance keeps a thousand processes from coming back to a restarted server together.
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self._attempts = 0

    def next(self) -> float:
        """Return the next delay, between half of it and all of it."""
        whole = min(self._longest, self._first * 2 ** min(self._attempts, 30))
        self._attempts += 1
        return jittered(whole * 0.75)

    def reset(self) -> None:
        """Begin with the shortest delay again."""
        self._attempts = 0


def jittered(seconds: float) -> float:
    """Return `seconds` up to a third shorter or longer."""
    return seconds * random.uniform(2 / 3, 4 / 3)  # noqa: S311 - nobody gains by guessing it
