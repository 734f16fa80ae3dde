"""How do flags that should go look as JSON?"""

from __future__ import annotations

from datetime import datetime

from flagstaff.server.bodies import Body
from flagstaff.services.lives.stale import StaleFlag


class FindingBody(Body):
    """One reason, and since when it is one; null where nobody knows."""

    reason: str
    text: str
    since: datetime | None


class StaleFlagBody(Body):
    """A flag that should go, or be looked at."""

    flag: str
    type: str
    owner: str
    reasons: list[FindingBody]

    @classmethod
    def of(cls, flag: StaleFlag) -> StaleFlagBody:
        """Return the body for a flag."""
        reasons = [FindingBody.model_validate(each) for each in flag.findings]
        return cls(flag=flag.name, type=flag.type, owner=flag.owner, reasons=reasons)
