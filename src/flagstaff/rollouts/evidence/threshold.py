"""Has a number been too high for too long?"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from flagstaff.rollouts.evidence.standing import Response, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A number that both cohorts share must stay below a limit. No promise about chance is made.

    Args:
        name: how people call it.
        most: the limit, in the number's own unit.
        polls: so many values in a row above it are too many, 1 or more.
        missing_polls: so many polls in a row without a number are no data.
    """

    name: str
    most: float
    polls: int = 4
    missing_polls: int = 3
    required: bool = True
    dry_run: bool = False
    on_harm: Response = Response.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """How many values in a row were above the limit, and how many polls in a row told nothing."""

    poll: int = -1
    above: int = 0
    missing: int = 0
    value: float | None = None


def advance_streak(state: Streak, poll: int, value: float | None, guard: Threshold) -> Streak:
    """Return the streak after a poll; NaN and infinity are no value, and break no streak."""
    if poll <= state.poll:
        return state
    if value is None or not isfinite(value):
        return Streak(poll=poll, above=state.above, missing=state.missing + 1, value=state.value)
    return Streak(poll=poll, above=state.above + 1 if value > guard.most else 0, value=value)


def streak_standing(state: Streak, guard: Threshold) -> Standing:
    """Return where the guard stands; once the number falls, it is healthy again."""
    if state.above >= guard.polls:
        return Standing.HARMFUL
    if state.missing >= guard.missing_polls:
        return Standing.NO_DATA
    return Standing.COLLECTING if state.value is None else Standing.HEALTHY
