"""How probable is it that so many of the bad events fell among those with the flag?

Given how many bad events a poll has in all, s, the number x among those with the flag depends on
the ratio of the two rates, never on the base rate, which may drift as it likes:

    x | s  ~  Binomial(s, r n_T / (r n_T + n_C))          for the ratio r of the rates
    x | s  ~  Fisher's non-central hypergeometric         for the ratio r of the odds

A product of LR_i(r : m) = L_i(r) / L_i(m) over polls is a supermartingale when the true ratio is at
most m < r, for Poisson counts and for Bernoulli trials: with p_T = m p_C the expectation of the
binomial factor is at most (1 + m p (rk/m - 1))^n_T (1 + p (k - 1))^n_C, where
k = (m n_T + n_C) / (r n_T + n_C); and that is at most exp(0), since log(1 + z) <= z. (Turner,
Ly and Gruenwald 2024 for 2x2 tables; ter Schure, Perez-Ortiz, Ly and Gruenwald 2024 for the same as
a log-rank test.)
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lgamma, log, sqrt

from flagstaff.rollouts.evidence.counts import Tally

NEGLIGIBLE = 1e-18
"""Share of the largest term below which a term of a sum is left out."""


def binomial(
    treatment: Tally, control: Tally, log_ratios: Sequence[float], ratios: Sequence[float]
) -> list[float]:
    """Return log L(r) - log L(1) for each ratio of rates; `log_ratios` are their logarithms."""
    on, off = treatment.total, control.total
    bad = treatment.bad + control.bad
    if not bad or not on or not off:
        return [0.0] * len(ratios)
    x, level = treatment.bad, bad * log(on + off)
    return [
        x * log_ratio - bad * log(ratio * on + off) + level
        for log_ratio, ratio in zip(log_ratios, ratios, strict=True)
    ]


def hypergeometric(
    treatment: Tally, control: Tally, log_ratios: Sequence[float], ratios: Sequence[float]
) -> list[float]:
    """Return log L(r) - log L(1) for each ratio of odds; both tallies are whole numbers.

    Exact for any base rate, where the binomial wastes a factor of about 1 / (1 - rate).

    Raises:
        ValueError: more is bad than there is.
    """
    on, off = int(treatment.total), int(control.total)
    bad = int(treatment.bad + control.bad)
    if treatment.bad > on or control.bad > off:
        raise ValueError(f"{treatment.bad} of {on} and {control.bad} of {off} are no shares")
    if max(0, bad - off) == min(on, bad):
        return [0.0] * len(ratios)
    level = _log_weight(on, off, bad, 1.0)
    return [
        treatment.bad * log_ratio - _log_weight(on, off, bad, ratio) + level
        for log_ratio, ratio in zip(log_ratios, ratios, strict=True)
    ]


def _log_weight(on: int, off: int, bad: int, odds: float) -> float:
    """Return the logarithm of the sum of C(on, x) C(off, bad - x) odds^x over all x.

    The sum runs outwards from its largest term, and stops where terms no longer matter.
    """
    low, high = max(0, bad - off), min(on, bad)
    mode = min(high, max(low, _mode(on, off, bad, odds)))
    total = term = 1.0
    for x in range(mode, high):
        term *= odds * (on - x) * (bad - x) / ((x + 1) * (off - bad + x + 1))
        total += term
        if term < NEGLIGIBLE * total:
            break
    term = 1.0
    for x in range(mode, low, -1):
        term *= x * (off - bad + x) / (odds * (on - x + 1) * (bad - x + 1))
        total += term
        if term < NEGLIGIBLE * total:
            break
    return _log_choose(on, mode) + _log_choose(off, bad - mode) + mode * log(odds) + log(total)


def _mode(on: int, off: int, bad: int, odds: float) -> int:
    """Return where the terms are largest (Liao and Rosen 2001), but for rounding."""
    a = odds - 1.0
    b = -((on + bad + 2) * odds + off - bad)
    c = odds * (on + 1) * (bad + 1)
    return int(2.0 * c / (-b + sqrt(max(0.0, b * b - 4.0 * a * c))))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
