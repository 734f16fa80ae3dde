"""How is a rollout looked at again and again, also when its server is away for a while?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flagstaff.errors import Unavailable

INTERVAL = 0.5
PATIENCE = 600.0
"""Seconds without an answer after which nobody believes in the server any more."""

Rollout = Mapping[str, Any]


def follow(
    look: Callable[[], Rollout],
    *,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Rollout]:
    """Yield the rollout about every half second, for ever.

    Args:
        look: returns the rollout as it stands.
        tell: hears that the server is away, and an empty text when it is back.
        sleep: waits a number of seconds.
        clock: seconds that only grow.

    Raises:
        Unavailable: the server does not answer at first, or has not for ten minutes.
    """
    answered = False
    away_since: float | None = None
    while True:
        try:
            found = look()
        except Unavailable as exc:
            now = clock()
            if not answered or (away_since is not None and now - away_since > PATIENCE):
                raise
            if away_since is None:
                away_since = now
                tell(f"{exc.message}; waiting until it is back")
        else:
            if away_since is not None:
                away_since = None
                tell("")
            answered = True
            yield found
        sleep(INTERVAL)
