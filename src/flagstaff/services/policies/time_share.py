"""May every check draw anew?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flagstaff.flags.gates import Gates
from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeShare:
    """A percentage of time, which draws anew in each request, is for flags without an actor."""

    setting: ClassVar[str] = "allow_random"
    override: ClassVar[str] = "ignore-random-deprecation-check"

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`."""
        before, after = change.before or Gates(), change.after or Gates()
        if change.actorless or after.percentage_of_time <= before.percentage_of_time:
            return None
        return Refusal(
            what="a percentage of time draws anew at every check, so one request can get both "
            "answers",
            remedy="use a percentage of actors: --actors",
        )
