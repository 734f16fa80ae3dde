"""Does the code run where the flag is to open?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flagstaff.services.policies.change import Change, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedCode:
    """A flag opens only where the commit that brought its definition is deployed."""

    setting: ClassVar[str] = "require_deployed"
    override: ClassVar[str] = "not-deployed"

    def refusal(self, change: Change) -> Refusal | None:
        """Return why the change may not happen, or `None`."""
        if not change.widens or change.deployed is None or change.deployed.yes:
            return None
        return Refusal(
            what=f"{change.flag} cannot be turned on in {change.environment}: "
            f"{change.deployed.text}",
            remedy="wait for the deployment; see where it is with: flagstaff auto_deploy status",
        )
