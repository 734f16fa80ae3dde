"""How far does a step open the flag, and what has left for the outside?"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from flagstaff.flags.change import Boolean, GateChange, PercentageOfActors, PercentageOfTime
from flagstaff.rollouts.checks import DeleteQueue, MigrateJobs, RunCommand
from flagstaff.rollouts.plan import Announce, Close, OpenCleanup, SetGate, Step

ASKED_FOR = (Announce, Close, OpenCleanup, RunCommand, MigrateJobs, DeleteQueue)
"""Steps whose effect leaves when they begin: what they say cannot change any more."""

_ALL = Decimal(100)
_NOBODY = Decimal(0)


def share_of(change: GateChange) -> Decimal | None:
    """Return for which percentage of people a change opens; `None` where there is no such number.

    >>> share_of(Boolean(value=True))
    Decimal('100')
    """
    match change:
        case Boolean(value=value):
            return _ALL if value else _NOBODY
        case PercentageOfActors(value=share) | PercentageOfTime(value=share):
            return share
        case _:
            return None


def widest(steps: Iterable[Step], environment: str) -> Decimal:
    """Return the largest percentage to which the steps open the flag in an environment."""
    shares = (
        share_of(step.action.change)
        for step in steps
        if isinstance(step.action, SetGate) and environment in step.action.environments
    )
    return max((share for share in shares if share is not None), default=_NOBODY)
