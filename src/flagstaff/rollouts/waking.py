"""When does something next happen to a rollout by itself, if nobody says or sees anything?"""

from __future__ import annotations

from datetime import datetime

from flagstaff.rollouts.expiring import expires_at, warns_at
from flagstaff.rollouts.rollout import Phase, Rollout


def wakes_at(rollout: Rollout) -> datetime | None:
    """Return the earliest time that is known now, `None` when there is none.

    It is the end of a bake or a wait, of what a change is held by, of the time for a check or an
    approval, of the rest before another try, the warning before it expires, or the expiry. Whoever
    looks then, and whenever an answer comes, is never late. It may have passed: what has to be seen
    besides, such as a guard, did not let it go on then.
    """
    if rollout.phase.finished or rollout.phase in {Phase.PENDING, Phase.EXPIRED}:
        return None
    moments = [warns_at(rollout) or expires_at(rollout)]
    step = rollout.current
    if step is not None and rollout.phase is not Phase.PAUSED:
        state = rollout.state(step.id)
        moments += [state.until, state.retry_at]
    return min((each for each in moments if each is not None), default=None)
