"""What is a guard on a ratio of rates told to look for?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flagstaff.rollouts.evidence.bets import Direction
from flagstaff.rollouts.evidence.onset import USUAL, Onset
from flagstaff.rollouts.evidence.standing import Response


class Model(StrEnum):
    """Which likelihood: binomial below a base rate of 5 %, exact above, or always the same."""

    AUTO = "auto"
    BINOMIAL = "binomial"
    EXACT = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioGuard:
    """The rate of bad events with the flag on must not be out of proportion to that with it off.

    What says what harm is stays the same for a whole rollout; `safe_ratio` and `safe_below` may
    change with the stage.

    Args:
        name: how people call it.
        direction: which way is harm.
        harm_ratio: ratio up to which a difference is nothing to act on, 1 or more; of odds where
            the likelihood is exact.
        safe_ratio: ratio that must be excluded before the stage is over, above 1: the wider the
            fewer people the next stage can hurt.
        safe_below: rate with the flag on that is safe whatever the other side does; 0 for none.
        min_excess: difference of the two rates below which there is nothing to act on.
        min_bad: bad events with the flag on before anything is harm.
        min_units: actors or hosts among them, where the source can tell.
        false_harm: chance of a rollback without harm, for all guards of a rollout together.
        share: this guard's part of that, above 0 and at most 1.
        false_safe: chance that a stage is called safe when it is not.
        missing_polls: polls without data in a row after which there is none.
        missing_time: seconds without data after which there is none.
        noun: what is counted.
        required: nothing goes on before this guard is healthy.
        dry_run: shown, never decides.
        on_harm: what its harm leads to.
    """

    name: str
    direction: Direction = Direction.UP
    model: Model = Model.AUTO
    harm_ratio: float = 1.1
    safe_ratio: float = 4.0
    safe_below: float = 0.0
    min_excess: float = 0.0005
    min_bad: int = 5
    min_units: int = 3
    false_harm: float = 0.05
    share: float = 1.0
    false_safe: float = 0.1
    onset: Onset = USUAL
    missing_polls: int = 3
    missing_time: float = 90.0
    noun: str = "requests"
    required: bool = True
    dry_run: bool = False
    on_harm: Response = Response.ROLLBACK
