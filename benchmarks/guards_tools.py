"""When would the rules of other tools have rolled back, on the same minutes?

Each rule is written again from its project's documentation and source: counting rules of Argo
Rollouts (a metric fails when failures exceed `failureLimit` 3) and Flagger (`threshold` 10 failed
checks, never taken back), Kayenta's classifier (Mann-Whitney, 98 % interval of the Hodges-Lehmann
shift above a quarter of it) every ten minutes on up to an hour of one-minute rates, and a z test
that is looked at every minute.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.guards_fleet import Array, World

Rule = Callable[["Minutes"], Array]

KAYENTA_EVERY = 10
KAYENTA_LEAST = 10
KAYENTA_MOST = 60
LEAST_BAD = 5


class Minutes:
    """The same traffic by minutes: arrays of minutes by rollouts."""

    def __init__(self, world: World) -> None:
        per = round(60 / float(world.elapsed[0]))
        starts = np.arange(0, world.shape[0], per)
        parts = (world.on, world.off, world.bad_on, world.bad_off)
        self.on, self.off, self.bad_on, self.bad_off = (
            np.add.reduceat(part, starts, axis=0) for part in parts
        )

    @property
    def rate_on(self) -> Array:
        """Return the rate with the flag on, NaN where nobody came."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.bad_on / self.on

    @property
    def rate_off(self) -> Array:
        """Return the rate with the flag off."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.bad_off / self.off


def first(fails: Array) -> Array:
    """Return the first minute, counted from 1, of each column that is true; infinite for none."""
    return np.where(fails.any(axis=0), fails.argmax(axis=0) + 1.0, np.inf)


def argo(success: float) -> Rule:
    """Return Argo Rollouts with `successCondition` and `failureLimit: 3`, each minute."""

    def rule(seen: Minutes) -> Array:
        return first(np.cumsum(seen.rate_on > 1 - success, axis=0) > 3)  # noqa: PLR2004

    return rule


def flagger(success: float) -> Rule:
    """Return Flagger with a threshold of 10 failed checks; no value is a failed check."""

    def rule(seen: Minutes) -> Array:
        failed = (seen.rate_on > 1 - success) | np.isnan(seen.rate_on)
        return first(np.cumsum(failed, axis=0) >= 10)  # noqa: PLR2004

    return rule


def in_a_row(times: float = 0.0, success: float = 0.0) -> Rule:
    """Return three bad minutes in a row: a success rate too low, or a ratio too high."""

    def rule(seen: Minutes) -> Array:
        if success:
            bad = seen.rate_on > 1 - success
        else:
            bad = (seen.rate_on > times * seen.rate_off) & (seen.bad_on > 0)
        three = bad.copy()
        three[1:] &= bad[:-1]
        three[2:] &= bad[:-2]
        three[:2] = False
        return first(three)

    return rule


def z_values(on: Array, off: Array, bad_on: Array, bad_off: Array) -> Array:
    """Return the pooled z statistic of everything so far."""
    n, c, x, y = (np.cumsum(part, axis=0).astype(float) for part in (on, off, bad_on, bad_off))
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (x + y) / (n + c)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / c))
        return np.nan_to_num((x / n - y / c) / spread, nan=0.0, posinf=0.0, neginf=0.0)


def z_peeking(seen: Minutes) -> Array:
    """Return the first minute with z above 1.645."""
    z = z_values(seen.on, seen.off, seen.bad_on, seen.bad_off)
    return first(z > 1.645)  # noqa: PLR2004


def kayenta(seen: Minutes) -> Array:
    """Return the first of Kayenta's judgements that calls the rate high."""
    rate_on, rate_off = seen.rate_on, seen.rate_off
    minutes, runs = rate_on.shape
    at = np.full(runs, np.inf)
    for end in range(KAYENTA_EVERY, minutes + 1, KAYENTA_EVERY):
        start = max(0, end - KAYENTA_MOST)
        for run in np.flatnonzero(np.isinf(at)):
            on = rate_on[start:end, run]
            off = rate_off[start:end, run]
            if _high(on[~np.isnan(on)], off[~np.isnan(off)]):
                at[run] = end
        if not np.isinf(at).any():
            break
    return at


def _high(on: Array, off: Array) -> bool:
    m, n = len(on), len(off)
    if min(m, n) < KAYENTA_LEAST or (on == off[: len(on)]).all():
        return False
    shifts = np.sort((on[:, None] - off[None, :]).ravel())
    shift = float(np.median(shifts))
    place = m * n / 2 - 2.326 * np.sqrt(m * n * (m + n + 1) / 12)
    low = shifts[max(0, int(place) - 1)] if place >= 1 else -np.inf
    return bool(low > 0.25 * abs(shift) and on.mean() >= off.mean())


RULES: dict[str, Rule] = {
    "Argo >= 95 %": argo(0.95),
    "Argo >= 99 %": argo(0.99),
    "Flagger 99 % x10": flagger(0.99),
    "Kayenta": kayenta,
    "3 in a row < 99 %": in_a_row(success=0.99),
    "3 in a row > 1.5x": in_a_row(times=1.5),
    "z test, peeking": z_peeking,
}
