"""Where does a guard stand, and what does the plan do about all of them together?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a guard says, in the word that programs and pages have for it."""

    PASS = "pass"  # noqa: S105 a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


class Standing(StrEnum):
    """What a guard says; exactly one at a time."""

    COLLECTING = "collecting"
    HEALTHY = "healthy"
    HARMFUL = "harmful"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no_data"

    @property
    def verdict(self) -> Verdict:
        """Return the same in the words of a single reading."""
        return _VERDICTS[self]


_VERDICTS = {
    Standing.COLLECTING: Verdict.INCONCLUSIVE,
    Standing.HEALTHY: Verdict.PASS,
    Standing.HARMFUL: Verdict.FAIL,
    Standing.INCONCLUSIVE: Verdict.INCONCLUSIVE,
    Standing.NO_DATA: Verdict.ERROR,
}


class Response(StrEnum):
    """What is done about a guard that is harmful, or that cannot tell."""

    ROLLBACK = "rollback"
    HOLD = "hold"
    ADVANCE = "advance"
    NOTIFY = "notify"


class Decision(StrEnum):
    """What a rollout does next because of its guards."""

    ROLLBACK = "rollback"
    HOLD = "hold"
    ADVANCE = "advance"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """A guard as the plan sees it.

    Args:
        standing: what it says.
        required: whether the plan goes on only when this guard is healthy.
        dry_run: shown, never decides.
        on_harm: `ROLLBACK`, `HOLD` or `NOTIFY`.
    """

    standing: Standing
    required: bool = True
    dry_run: bool = False
    on_harm: Response = Response.ROLLBACK


def decide(
    watches: tuple[Says, ...],
    *,
    joint_harm: bool = False,
    time_is_up: bool = True,
    on_inconclusive: Response = Response.HOLD,
    on_no_data: Response = Response.HOLD,
) -> Decision:
    """Return what the plan does.

    Harm outranks missing data, missing data outranks doubt, and nothing advances without every
    required guard.

    Args:
        watches: every guard of the rollout.
        joint_harm: the guards together prove harm, though perhaps none alone.
        time_is_up: the stage has lasted as long as it must at least.
        on_inconclusive: `HOLD`, `ADVANCE` (the step stays unproven) or `ROLLBACK`.
        on_no_data: `HOLD`, or `ROLLBACK` when a required guard has been blind for too long.
    """
    deciding = [each for each in watches if not each.dry_run]
    harmful = {each.on_harm for each in deciding if each.standing is Standing.HARMFUL}
    required = {each.standing for each in deciding if each.required}
    if joint_harm or Response.ROLLBACK in harmful:
        return Decision.ROLLBACK
    if Standing.NO_DATA in required and on_no_data is Response.ROLLBACK:
        return Decision.ROLLBACK
    if Response.HOLD in harmful or Standing.NO_DATA in required:
        return Decision.HOLD
    if Standing.INCONCLUSIVE in required and on_inconclusive is not Response.ADVANCE:
        rolls_back = on_inconclusive is Response.ROLLBACK
        return Decision.ROLLBACK if rolls_back else Decision.HOLD
    settled = {Standing.HEALTHY, Standing.INCONCLUSIVE, Standing.HARMFUL}
    return Decision.ADVANCE if time_is_up and required <= settled else Decision.WAIT
