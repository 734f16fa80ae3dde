"""When may harm begin, before anything has been seen?

A nightly job or a cache that runs out does harm hours after the flag is on. A process that only
bets on harm from the start has sunk by then. So the stake is spread over the moments at which harm
may begin; what is not yet staked counts as it stands, and the sum is evidence like any other (a
mixture over change points, as in Shiryaev and Roberts' procedure; Shin, Ramdas and Rinaldo's
e-detectors).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """How the stake is spread; the four shares add up to 1.

    Args:
        first: on harm from the first poll on; costs -log(first) of evidence against it.
        stages: on harm with a change of the percentage, half of what is left at each.
        within: evenly over the planned time.
        after: on harm later than planned, thinning out for ever.
        planned: seconds the rollout is meant to take, above 0.
    """

    first: float = 0.80
    stages: float = 0.01
    within: float = 0.16
    after: float = 0.03
    planned: float = 7200.0

    def unstaked(self, elapsed: float, stages: int) -> float:
        """Return the share on harm that begins later than `elapsed` s and `stages` changes."""
        time = elapsed / self.planned
        tail = 1.0 if time <= 1 else 1.0 / sqrt(time)
        return (
            self.stages * 0.5 ** min(stages, 1000)
            + self.within * max(0.0, 1.0 - time)
            + self.after * tail
        )


USUAL = Onset()
