"""How many rollouts does one process take at a time?

As many as it can look at in one turn: what it takes and does not get to is kept from the others,
and on a machine so busy that reading alone outlasts the leases, nothing would ever move.
"""

from __future__ import annotations

from typing import Final

FEWEST, MOST = 8, 200

TURN: Final = 1.0
"""Real seconds from taking to giving back."""


class Batch:
    """Grows while turns end in time, and shrinks when one does not.

    >>> batch = Batch()
    >>> batch.ended(taken=8, seconds=0.2)
    >>> batch.size
    16
    >>> batch.ended(taken=16, seconds=3.0)
    >>> batch.size
    8
    """

    def __init__(self) -> None:
        self.size = FEWEST

    def ended(self, *, taken: int, seconds: float) -> None:
        """Learn from a turn that took so many rollouts and so long."""
        if seconds > TURN:
            self.size = max(FEWEST, self.size // 2)
        elif taken == self.size and seconds < TURN / 2:
            self.size = min(MOST, self.size * 2)
