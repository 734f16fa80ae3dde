"""Between which values does the truth lie, whenever one looks?

A confidence sequence holds at all times at once with the stated chance: it is all values that the
evidence against them has never refuted (Howard, Ramdas, McAuliffe and Sekhon 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log, log1p

from flagstaff.rollouts.evidence import curve as curves
from flagstaff.rollouts.evidence.counts import Tally
from flagstaff.rollouts.evidence.logspace import log_sum

STEPS = 64
REACH = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with the ends of its confidence sequence; no high end when nothing bounds it."""

    estimate: float
    low: float
    high: float | None


def ratio_interval(curve: tuple[float, ...], miss: float) -> Interval:
    """Return the ratio of the rates, with a chance of at most `miss` to be ever outside.

    A ratio is refuted when the mixture of all others is 1 / miss times as likely; the mixture's
    weights fall with the distance from 1 as the logistic distribution does.
    """
    top, mixture = _shape(curve)
    level = mixture + log(miss)
    low = _end(curve, top, -curves.EDGE, level)
    high = _end(curve, top, curves.EDGE, level)
    return Interval(
        estimate=exp(top),
        low=0.0 if low == -curves.EDGE else exp(low),
        high=None if high == curves.EDGE else exp(high),
    )


@lru_cache(maxsize=64)
def _shape(curve: tuple[float, ...]) -> tuple[float, float]:
    """Return the log ratio of the curve's top, and the log of the mean likelihood.

    It is integrated where there is some, so it is a little too small and intervals too wide.
    """
    top = curves.peak(curve)
    best = curves.at(curve, top)
    ends = [_end(curve, top, edge, best - REACH) for edge in (-curves.EDGE, curves.EDGE)]
    step = (ends[1] - ends[0]) / STEPS
    values = []
    for each in range(STEPS):
        place = ends[0] + (each + 0.5) * step
        density = -abs(place) - 2.0 * log1p(exp(-abs(place)))
        values.append(curves.at(curve, place) + density)
    return top, log_sum(values) + log(step)


def _end(curve: tuple[float, ...], top: float, edge: float, level: float) -> float:
    """Return where the curve falls to `level` between its top and `edge`, else `edge`."""
    if curves.at(curve, edge) >= level:
        return edge
    inside, outside = top, edge
    for _ in range(40):
        middle = (inside + outside) / 2
        if curves.at(curve, middle) >= level:
            inside = middle
        else:
            outside = middle
    return (inside + outside) / 2


def rate_interval(tally: Tally, miss: float) -> Interval:
    """Return the rate of bad events, 0 to 1, with a chance of at most `miss` to be ever outside.

    The mixture over all rates, uniformly, is the beta-binomial (Robbins 1970).
    """
    bad, good = tally.bad, max(0.0, tally.total - tally.bad)
    mixture = lgamma(bad + 1) + lgamma(good + 1) - lgamma(bad + good + 2)
    rate = bad / (bad + good) if bad + good else 0.0
    level = mixture + log(miss)

    def above(p: float) -> bool:
        value = (bad * log(p) if bad else 0.0) + (good * log1p(-p) if good else 0.0)
        return value >= level

    def end(inside: float, outside: float) -> float:
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if above(middle) else (inside, middle)
        return (inside + outside) / 2

    return Interval(
        estimate=rate,
        low=end(rate, 0.0) if bad else 0.0,
        high=end(rate, 1.0) if good else 1.0,
    )


def difference(ratio: Interval, control: Tally, miss: float) -> Interval:
    """Return the difference of the rates, from the interval of their ratio.

    Args:
        ratio: what is known of the ratio, with a chance of `miss` / 2 to be outside.
        control: everything seen with the flag off, from which the base rate is taken.
        miss: chance to be ever outside, 0 to 1, while the base rate stays the same.
    """
    base = rate_interval(control, miss / 2)
    most = 1.0 if base.high is None else base.high
    high = 1.0
    if ratio.high is not None:
        high = min(1.0, (ratio.high - 1.0) * (most if ratio.high > 1 else base.low))
    return Interval(
        estimate=(ratio.estimate - 1.0) * base.estimate,
        low=(ratio.low - 1.0) * (most if ratio.low < 1 else base.low),
        high=high,
    )
