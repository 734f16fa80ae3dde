"""On which ratios do we bet, and against which harmless one?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import exp, log

from flagstaff.rollouts.evidence.logspace import log_add, log_sum

LEAST_EXCESS, MOST_EXCESS = 0.08, 14.0
"""Bets on harm lie between 1.08 and 15 times the margin; other effects are found too, later."""

HARM_BETS = 16
SMALL, LARGE = 0.1, 0.2
"""How much more is staked towards either end: small harm asks for many events that are each worth
little, and of large harm the first few events must do."""

SAFE_BETS = 9


class Direction(StrEnum):
    """Which way a rate must not go when the flag is on."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bets:
    """Ratios with their stakes (as logarithms, adding up to 1) and the harmless ratio of each.

    `log_ratios` holds both, ratios first, so that one pass over a poll serves all of them.
    """

    log_stakes: tuple[float, ...]
    log_ratios: tuple[float, ...]
    ratios: tuple[float, ...]

    def gains(self, log_likelihoods: list[float]) -> list[float]:
        """Return the log likelihood ratio of each bet, from those of `log_ratios`."""
        count = len(self.log_stakes)
        return [log_likelihoods[each] - log_likelihoods[count + each] for each in range(count)]

    def value(self, logs: tuple[float, ...], unstaked: float = -1e300) -> float:
        """Return the logarithm of the evidence; `unstaked` is that of the stake kept back."""
        staked = (stake + each for stake, each in zip(self.log_stakes, logs, strict=True))
        return log_add(log_sum(staked), unstaked)


@cache
def harm_bets(margin: float, direction: Direction) -> Bets:
    """Return bets on a ratio beyond `margin`, evenly spread in the logarithm of the excess.

    Raises:
        ValueError: the margin is below 1.
    """
    if not margin >= 1:
        raise ValueError(f"a margin of {margin:g} is none: it is 1 or more")
    middle = (log(LEAST_EXCESS) + log(MOST_EXCESS)) / 2
    step = (log(MOST_EXCESS) - log(LEAST_EXCESS)) / (HARM_BETS - 1)
    places = [log(LEAST_EXCESS) + step * each for each in range(HARM_BETS)]
    up = [log(margin) + log(1 + exp(place)) for place in places]
    weights = [exp((LARGE if place > middle else SMALL) * abs(place - middle)) for place in places]
    return _bets(direction, up, weights, log(margin))


@cache
def safe_bets(margin: float, direction: Direction) -> Bets:
    """Return bets on a ratio well within `margin`, most of them on no difference at all.

    `direction` is `UP` or `DOWN`; safety both ways is two processes.

    Raises:
        ValueError: the margin is not above 1.
    """
    if not margin > 1:
        raise ValueError(f"nothing can be shown to be safe within {margin:g}: ask for more than 1")
    room = log(margin)
    places = [room * (3.0 - each) / 4.0 for each in range(SAFE_BETS)]
    weights = [exp(-1.2 * abs(place) * 4.0 / room) for place in places]
    return _bets(direction, places, weights, room)


def _bets(direction: Direction, up: list[float], weights: list[float], margin: float) -> Bets:
    down = [-place for place in up]
    match direction:
        case Direction.UP:
            places, nulls = up, [margin] * len(up)
        case Direction.DOWN:
            places, nulls = down, [-margin] * len(up)
        case Direction.BOTH:
            places = up + down
            nulls = [margin] * len(up) + [-margin] * len(up)
            weights = weights * 2
    whole = log(sum(weights))
    log_ratios = tuple(places + nulls)
    return Bets(
        log_stakes=tuple(log(weight) - whole for weight in weights),
        log_ratios=log_ratios,
        ratios=tuple(exp(each) for each in log_ratios),
    )
