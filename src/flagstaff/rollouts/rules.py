"""What is done when a step fails, is late, or cannot tell?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

BACK_OFF = timedelta(minutes=1)
LONGEST_BACK_OFF = timedelta(hours=6)
EXPIRY = timedelta(days=21)
WARNING = timedelta(days=3)
"""So long before it expires a rollout warns."""


class Then(StrEnum):
    """What follows the failure of a step.

    `back` puts the gates back to those of the stage before and pauses there.
    """

    PAUSE = "pause"
    ROLLBACK = "rollback"
    SKIP = "skip"
    BACK = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFail:
    """Try again so often, each time after twice as long a rest, and then do this."""

    then: Then = Then.PAUSE
    retries: int = 0
    back_off: timedelta = BACK_OFF

    def rest(self, tries: int) -> timedelta:
        """Return how long to rest after so many failed tries, the first one included."""
        doublings = min(tries - 1, 20)
        return min(self.back_off * (1 << doublings), max(LONGEST_BACK_OFF, self.back_off))


class OnTimeout(StrEnum):
    """What follows when nobody has approved in time: `abort` is to the gates before the rollout."""

    HOLD = "hold"
    ABORT = "abort"
    ROLLBACK = "rollback"


class OnInconclusive(StrEnum):
    """What follows when a wait is over and its guards cannot tell."""

    HOLD = "hold"
    GO_ON = "go_on"
    ROLLBACK = "rollback"


class RollbackTo(StrEnum):
    """To which gates harm and failures roll back: before the rollout, or one stage back."""

    BEFORE = "before"
    PREVIOUS = "previous"
