"""Do staging and production go on and off in the right order?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flagstaff.flags.gates import State
from flagstaff.flags.switches import switch_of
from flagstaff.services.policies.change import PRODUCTION, STAGING, Change, Refusal, effective


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """A flag opens in staging before production, and closes in production before staging."""

    setting: ClassVar[str] = "consistency"
    override: ClassVar[str] = "ignore-feature-flag-consistency-check"

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`.

        What counts is how both stand when the whole command is done, so one command may change
        them together. A switch of background jobs is about what goes wrong in one environment.
        """
        if change.cleanup or switch_of(change.flag) is not None:
            return None
        if not {STAGING, PRODUCTION} <= change.standing.keys():
            return None
        if change.production:
            return self._opening(change)
        if change.environment == STAGING:
            return self._closing(change)
        return None

    def _opening(self, change: Change) -> Refusal | None:
        if not change.widens or change.standing[STAGING] is not State.OFF:
            return None
        return Refusal(
            what=f"{change.flag} cannot be turned on in production while it is off in staging",
            remedy=f"turn it on there first: flagstaff feature set {change.flag} true --staging",
        )

    def _closing(self, change: Change) -> Refusal | None:
        before = effective(change.before, change.default).state
        closes = before is not State.OFF and change.standing[STAGING] is State.OFF
        if not closes or change.standing[PRODUCTION] is State.OFF:
            return None
        return Refusal(
            what=f"{change.flag} cannot be turned off in staging while it is on in production",
            remedy="turn it off there first: "
            f"flagstaff feature set {change.flag} false --production",
        )
