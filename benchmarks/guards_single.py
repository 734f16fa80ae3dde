"""How often are guards without a control wrong? B13: calibration, not proof, so they only hold."""

from __future__ import annotations

from collections.abc import Iterator
from math import log

import numpy as np

from benchmarks.guards_gate import Row, false_alarms
from flagstaff.rollouts.evidence.counts import Tally
from flagstaff.rollouts.evidence.placebo import placebo_limit, strayed
from flagstaff.rollouts.evidence.single_arm import BeforeAfter, dispersion, log_more

Generator = np.random.Generator

MINUTES = 120
DAYS = 7
PER_MINUTE = 5.0
SCATTER = 4.0


def b13(rng: Generator, scale: float) -> Iterator[Row]:
    """Counts before and after, and gauges, on worlds that scatter and remember."""
    runs = max(60, int(400 * scale))
    hits = sum(np.isfinite(_more(rng, 1.0)) for _ in range(runs))
    yield false_alarms("B13", "counts, four times Poisson's scatter, diurnal", hits, runs, 0.05)
    plain = 100 * sum(np.isfinite(_more(rng, 1.0, naive=True)) for _ in range(runs)) / runs
    yield Row(
        gate="B13",
        cell="the same world shows what Poisson's scatter does",
        value=10.0,
        limit=plain,
        unit="%",
        note=f"{plain:.1f} % held without calibration",
    )
    took = float(np.median([_more(rng, 3.0) for _ in range(max(40, runs // 4))]))
    yield Row(gate="B13", cell="three times as many", value=took, limit=20.0, unit="min")
    hits = sum(_gauge(rng, 0.0) for _ in range(runs))
    # The windows of a fortnight overlap in what they remember: a tenth, for a promise of 5 %.
    yield false_alarms("B13", "gauge against 168 quiet windows", hits, runs, 0.1)
    found = sum(_gauge(rng, 4.0) for _ in range(max(40, runs // 4))) / max(40, runs // 4)
    yield Row(gate="B13", cell="gauge up by four deviations, missed", value=1 - found, limit=0.1)


def _counts(rng: Generator, start: int, minutes: int) -> np.ndarray:
    level = PER_MINUTE * (1 + 0.4 * np.sin(2 * np.pi * (start + np.arange(minutes)) / 1440))
    return rng.negative_binomial(level / (SCATTER - 1), 1 / SCATTER)


def _more(rng: Generator, ratio: float, *, naive: bool = False) -> float:
    """Return the minute in which counts are called too many, against the same minutes before."""
    start = int(rng.integers(1440))
    days = np.stack([_counts(rng, 0, 1440) for _ in range(DAYS)])
    guard = BeforeAfter(margin=1.0) if naive else BeforeAfter(dispersion=dispersion(days.tolist()))
    minutes = (start + np.arange(MINUTES)) % 1440
    before = np.cumsum(days[:, minutes].sum(axis=0))
    usual = _counts(rng, start, MINUTES)
    after = np.cumsum(usual + rng.poisson(usual * (ratio - 1)))
    for minute in range(MINUTES):
        past = Tally(total=DAYS * (minute + 1), bad=int(before[minute]))
        now = Tally(total=minute + 1, bad=int(after[minute]))
        if past.bad and log_more(past, now, guard) >= log(20):
            return minute + 1.0
    return float("inf")


def _gauge(rng: Generator, step: float) -> bool:
    """Return whether a gauge that remembers its past is called too high after a step."""
    length = 14 * 1440 + 2 * MINUTES
    noise = rng.normal(0, 1, length)
    values = np.empty(length)
    values[0] = 0.0
    for each in range(1, length):
        values[each] = 0.9 * values[each - 1] + noise[each]
    spread = float(values.std())
    scores = []
    for begin in range(0, 14 * 1440 - MINUTES, MINUTES):
        middle = begin + MINUTES
        scores.append(
            strayed(values[begin:middle].tolist(), values[middle : middle + MINUTES].tolist())
        )
    limit = placebo_limit(scores, 0.05)
    now = values[-MINUTES:] + step * spread
    return strayed(values[-2 * MINUTES : -MINUTES].tolist(), now.tolist()) > limit
