"""How far does a gauge stray by itself, in windows in which nothing was rolled out?

A queue's depth remembers its past, so no process of evidence fits it. Instead the rule itself is
run on windows of the past: the limit is what all but a few of them stayed under (a conformal
quantile; Vovk, Gammerman and Shafer 2005). It holds as far as the future is like those windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf, sqrt
from statistics import fmean

SMOOTH = 5


def strayed(before: Sequence[float], after: Sequence[float], smooth: int = SMOOTH) -> float:
    """Return how far the highest mean of `smooth` values in a row lies above the time before.

    In standard deviations of such means before; 0 when it never does. Values a minute apart make it
    a mean of five minutes.

    Args:
        before: values of the time before, oldest first; at least two means of them.
        after: values since, oldest first.
        smooth: how many values make one mean, 1 or more.

    Raises:
        ValueError: there are too few values before.
    """
    usual = _means(before, smooth)
    if len(usual) < 2:  # noqa: PLR2004 one mean has no spread
        raise ValueError(f"{len(before)} values before are too few: {smooth + 1} at least")
    middle = fmean(usual)
    spread = sqrt(fmean((each - middle) ** 2 for each in usual))
    highest = max(_means(after, smooth), default=middle)
    if highest <= middle:
        return 0.0
    return (highest - middle) / spread if spread else inf


def placebo_limit(scores: Sequence[float], false_alarm: float) -> float:
    """Return the limit that a quiet window exceeds with a chance of at most `false_alarm`.

    Infinite when there are too few windows to tell: 19 at least for 5 %, 99 for 1 %.
    """
    place = ceil((1.0 - false_alarm) * (len(scores) + 1))
    return sorted(scores)[place - 1] if place <= len(scores) else inf


def _means(values: Sequence[float], width: int) -> list[float]:
    return [fmean(values[each : each + width]) for each in range(len(values) - width + 1)]
