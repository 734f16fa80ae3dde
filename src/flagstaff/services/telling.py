"""Which changes has this process told its listeners of already?"""

from __future__ import annotations

import itertools
import secrets
from collections import deque
from typing import Final

MOST_DOUBTFUL: Final = 1_000
"""Doubts that are remembered; the notification comes within seconds or never."""


class Telling:
    """Gives every unit of work a sender's name, and knows its own when they come back.

    A change of ours is told at its commit, so that who changed something sees it at once, and would
    be told once more when the database sends it to all. But if the answer to a commit was lost, the
    commit may still be under way: then the second time is the one that counts.
    """

    def __init__(self) -> None:
        self._own = secrets.token_hex(8)
        self._count = itertools.count(1)
        self._doubtful: deque[str] = deque(maxlen=MOST_DOUBTFUL)

    def begin(self) -> str:
        """Return the name of the next unit of work."""
        return f"{self._own}.{next(self._count)}"

    def doubt(self, sender: str) -> None:
        """Note that nobody knows whether this one was kept, or will be."""
        self._doubtful.append(sender)

    def has_told(self, sender: str) -> bool:
        """Return whether the listeners know all of it."""
        return sender.startswith(f"{self._own}.") and sender not in self._doubtful
