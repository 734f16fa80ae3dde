"""Which label says where a flag stands?"""

from __future__ import annotations

from flagstaff.flags.change import Boolean
from flagstaff.rollouts.plan import SetGate
from flagstaff.rollouts.rollout import Phase, Rollout

FEATURE_FLAG = "feature flag"
DISABLED = "feature flag state::disabled"
ROLLING_OUT = "feature flag state::rolling out"
ENABLED = "feature flag state::enabled"
STATES = frozenset({DISABLED, ROLLING_OUT, ENABLED})
"""One of them at a time, as scoped labels are; not every forge sees to that itself."""


def state_label(rollout: Rollout) -> str:
    """Return the label of the flag's state in production, as the rollout has left it."""
    if rollout.phase is Phase.ROLLED_BACK:
        return DISABLED
    shares = [
        100.0 if step.action.change == Boolean(value=True) else rollout.percentage
        for step in rollout.production_changes
        if isinstance(step.action, SetGate)
    ]
    if not shares:
        return DISABLED
    last = shares[-1]
    if last >= 100:  # noqa: PLR2004 percent
        return ENABLED
    off = rollout.production_changes[-1].action
    closed = isinstance(off, SetGate) and off.change == Boolean(value=False)
    return DISABLED if closed else ROLLING_OUT
