"""Is a rate below a fixed level, whatever the other cohort does?

The second way to be safe: when next to nothing ever fails, a ratio can never be shown. Evidence
against "the rate is `level` or more" is a mixture of Bernoulli likelihood ratios for lower rates.
"""

from __future__ import annotations

from math import log, log1p

from flagstaff.rollouts.evidence.counts import Tally
from flagstaff.rollouts.evidence.logspace import log_sum

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75)
"""Rates that are bet on, as shares of the level."""


def evidence_below(treatment: Tally, level: float) -> float:
    """Return the logarithm of the evidence that the rate of `treatment` is below `level`.

    Args:
        treatment: everything since the stage began.
        level: the rate, above 0 and below 1.

    Raises:
        ValueError: the level is no rate.
    """
    if not 0 < level < 1:
        raise ValueError(f"{level:g} is no rate to be below: it lies between 0 and 1")
    bad = treatment.bad
    good = max(0.0, treatment.total - bad)
    values = []
    for share in SHARES:
        if share:
            gain = bad * log(share) + good * (log1p(-share * level) - log1p(-level))
            values.append(gain)
        elif not bad:
            values.append(-good * log1p(-level))
    return log_sum(values) - log(len(SHARES))
