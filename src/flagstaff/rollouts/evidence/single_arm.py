"""Is there more of something than before the flag, when it cannot be told apart by cohort?

There is no honest guarantee without a control: what else changed, nobody knows. This compares with
an earlier time under stated assumptions, so its harm holds a rollout and does not roll it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flagstaff.rollouts.evidence.bets import Direction, harm_bets
from flagstaff.rollouts.evidence.counts import Tally
from flagstaff.rollouts.evidence.likelihood import binomial


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeAfter:
    """How much more than before is harm.

    Args:
        margin: how many times as many is nothing to act on; 1.5 and more, for nothing stays quite
            the same.
        dispersion: how much more the counts scatter than Poisson's do, 1 or more.
    """

    margin: float = 1.5
    dispersion: float = 1.0


def log_more(before: Tally, after: Tally, guard: BeforeAfter) -> float:
    """Return the logarithm of the evidence that there is more than `margin` times as much.

    The rate before is unknown: with the scale-invariant prior it integrates out, and what is left
    is the likelihood of the ratio given all events so far (Perez-Ortiz, Lardy, de Heide and
    Gruenwald 2024). Its logarithm is divided by the dispersion, as in quasi-likelihood; that is
    calibration, not proof.

    Args:
        before: events in the earlier time; `total` is its length, in any unit.
        after: everything since the flag is on, and its length in the same unit.
        guard: what counts as more.
    """
    bets = harm_bets(guard.margin, Direction.UP)
    gains = bets.gains(binomial(after, before, bets.log_ratios, bets.ratios))
    return bets.value(tuple(gain / guard.dispersion for gain in gains))


def dispersion(days: Sequence[Sequence[float]]) -> float:
    """Return how much more counts scatter than Poisson's, 1 or more, from whole days of windows.

    The expected count of a window is the product of its day's and its time of day's share, so that
    neither a busy day nor a busy hour counts as scatter. (Pearson's statistic over its degrees of
    freedom.)

    Args:
        days: for each day the counts of its windows, equally many.

    Raises:
        ValueError: fewer than two days or two windows, or days of different lengths.
    """
    lengths = {len(day) for day in days}
    if len(days) < 2 or len(lengths) != 1 or min(lengths) < 2:  # noqa: PLR2004 a table needs two by two
        raise ValueError("dispersion needs two days or more, of equally many windows, two or more")
    by_day = [sum(day) for day in days]
    by_window = [sum(window) for window in zip(*days, strict=True)]
    whole = sum(by_day)
    if not whole:
        return 1.0
    squares = 0.0
    for day, day_sum in zip(days, by_day, strict=True):
        for count, window_sum in zip(day, by_window, strict=True):
            if expected := day_sum * window_sum / whole:
                squares += (count - expected) ** 2 / expected
    freedom = (len(by_day) - 1) * (len(by_window) - 1)
    return max(1.0, squares / freedom)
