"""Is there an actor to choose by?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flagstaff.flags.gates import Gates
from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Actorless:
    """A flag that is asked without an actor gets no share of actors: it would be off for all."""

    setting: ClassVar[str] = "allow_actorless"
    override: ClassVar[str] = "actorless"

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`."""
        before, after = change.before or Gates(), change.after or Gates()
        if not change.actorless or after.percentage_of_actors <= before.percentage_of_actors:
            return None
        return Refusal(
            what=f"a percentage of actors opens {change.flag} for nobody: {change.actorless}",
            remedy="use a share of checks: --random, or ask for the flag with an actor",
        )
