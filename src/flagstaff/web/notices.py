"""How does what came of a form reach the page that is shown next?"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import replace

from flagstaff.commands.outcome import Outcome

MOST = 200


def last_of(outcome: Outcome) -> Outcome:
    """Return the outcome with its last paragraph only: the page that follows shows the rest."""
    *_, last = outcome.text.split("\n\n")
    return replace(outcome, text=last)


class Notices:
    """Outcomes waiting to be shown once, each under a name that cannot be guessed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, Outcome] = OrderedDict()

    def leave(self, outcome: Outcome) -> str:
        """Keep an outcome for the next page; return its name."""
        name = secrets.token_urlsafe(9)
        with self._lock:
            self._waiting[name] = outcome
            while len(self._waiting) > MOST:
                self._waiting.popitem(last=False)
        return name

    def take(self, name: str) -> Outcome | None:
        """Return the outcome of that name, once."""
        with self._lock:
            return self._waiting.pop(name, None)
