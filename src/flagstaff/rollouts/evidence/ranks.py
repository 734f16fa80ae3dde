"""Are calls with the flag on slower, whatever the shape of their durations?

Rank the m durations with the flag on among the n with it off: U counts the pairs in which the
flag's is longer. When nothing differs all orders are equally likely, the generating function of U
is the Gaussian binomial (Mann and Whitney 1947), and for q = exp(tilt)

    exp(tilt U) / ( prod_{i=1..m} (q^(n+i) - 1) / (q^i - 1)  /  C(m+n, m) )

has expectation 1 in every poll, so the product over polls is evidence. A tie counts one half: that
is the mean over breaking it at random, and by Jensen's inequality no more evidence than that gives.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import expm1, lgamma, log

EFFECTS = (0.02, 0.04, 0.08, 0.16, 0.32)
"""Bets on how far the chance that a call with the flag is the longer one exceeds one half."""

LOG_STAKES = (-log(len(EFFECTS)),) * len(EFFECTS)


def pairs_won(treatment: Sequence[float], control: Sequence[float]) -> float:
    """Return in how many pairs the duration with the flag is longer, ties for one half."""
    ordered = sorted(control)
    twice = sum(bisect_left(ordered, each) + bisect_right(ordered, each) for each in treatment)
    return twice / 2


def rank_gains(
    treatment: Sequence[float], control: Sequence[float], *, slower: bool = True
) -> list[float]:
    """Return what each bet in `EFFECTS` gains from one poll, as logarithms.

    Args:
        treatment: durations with the flag on, in any unit.
        control: durations with the flag off, in the same unit.
        slower: bet on longer durations with the flag on, else on shorter ones.
    """
    m, n = len(treatment), len(control)
    if not m or not n:
        return [0.0] * len(EFFECTS)
    won = pairs_won(treatment, control)
    if not slower:
        won = m * n - won
    tilts = (12.0 * effect / (m + n + 1) for effect in EFFECTS)
    return [tilt * won - log_mean(m, n, tilt) for tilt in tilts]


def log_mean(m: int, n: int, tilt: float) -> float:
    """Return log of the mean of exp(tilt U) over all orders of m and n; `tilt` is above 0.

    The sum is symmetric in m and n: it runs over the smaller.
    """
    few, many = min(m, n), max(m, n)
    total = 0.0
    for each in range(1, few + 1):
        # (q^a - 1) / (q^b - 1) = q^(a - b) (1 - q^-a) / (1 - q^-b), which cannot overflow.
        total += log(expm1(-tilt * (many + each)) / expm1(-tilt * each))
    orders = lgamma(m + n + 1) - lgamma(m + 1) - lgamma(n + 1)
    return total + tilt * many * few - orders
