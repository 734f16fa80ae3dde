"""How are very large and very small numbers added without leaving the range of a float?"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, inf, log, log1p


def log_add(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b)); -inf stands for nothing."""
    if a < b:
        a, b = b, a
    return a if b == -inf else a + log1p(exp(b - a))


def log_sum(values: Iterable[float]) -> float:
    """Return log(sum(exp(value))), -inf for no values.

    >>> round(log_sum([log(1), log(2), log(5)]), 12) == round(log(8), 12)
    True
    """
    known = list(values)
    most = max(known, default=-inf)
    if most == -inf:
        return -inf
    return most + log(sum(exp(value - most) for value in known))


def log_of(share: float) -> float:
    """Return the logarithm of a number from 0 up, -inf for 0."""
    return log(share) if share > 0 else -inf
