"""Which worlds do guards meet? Traffic, base rates, ramps, incidents and faults of the readers."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np

from benchmarks.guards_fleet import Array, World

POLL = 15.0
RAMP = ((0.01, 30), (0.10, 30), (0.50, 60))
"""Shares of people with the flag, each with its minutes."""

DAY = ((0.01, 120), (0.10, 360), (0.50, 960))

Shape = Callable[[Array], Array]


def flat(minutes: Array) -> Array:
    """Return a base rate that stays."""
    return np.ones_like(minutes)


def incident(minutes: Array) -> Array:
    """Return one that is ten times itself in minutes 62 to 72."""
    return np.where((minutes >= 62) & (minutes < 72), 10.0, 1.0)  # noqa: PLR2004


def rising(minutes: Array) -> Array:
    """Return one that grows fourfold over two hours."""
    return 4.0 ** (minutes / 120)


def falling(minutes: Array) -> Array:
    """Return one that begins at four times itself and comes down over two hours."""
    return 4.0 ** (1 - minutes / 120)


def diurnal(minutes: Array) -> Array:
    """Return one that goes 80 % up and down within a day."""
    return 1 + 0.8 * np.sin(2 * pi * minutes / 1440)


def world(  # noqa: PLR0913 a world has many sides
    rng: np.random.Generator,
    runs: int,
    *,
    base: float,
    rate: float,
    ratio: float = 1.0,
    ramp: tuple[tuple[float, float], ...] = RAMP,
    shape: Shape = flat,
    onset: float = 0.0,
    seconds: float = POLL,
) -> World:
    """Return what `runs` rollouts see.

    Args:
        rng: where chance comes from.
        runs: rollouts.
        base: share of requests that fail with the flag off, times `shape`.
        rate: requests each second.
        ratio: failures with the flag on as a multiple, from `onset` minutes on.
        ramp: shares and minutes.
        shape: how the base rate moves.
        onset: minutes until the flag does harm.
        seconds: between polls.
    """
    steps = [round(minutes * 60 / seconds) for _, minutes in ramp]
    share = np.repeat([share for share, _ in ramp], steps)[:, None]
    stage = np.repeat(np.arange(len(ramp)), steps)
    polls = len(stage)
    elapsed = seconds * (1 + np.arange(polls))
    minutes = ((elapsed - seconds) / 60)[:, None]
    off_rate = np.minimum(base * shape(minutes), 0.9)
    on_rate = np.minimum(off_rate * np.where(minutes >= onset, ratio, 1.0), 0.95)
    on = rng.poisson(rate * seconds * share, (polls, runs))
    off = rng.poisson(rate * seconds * (1 - share), (polls, runs))
    return World(
        on=on,
        off=off,
        bad_on=rng.binomial(on, np.broadcast_to(on_rate, on.shape)),
        bad_off=rng.binomial(off, np.broadcast_to(off_rate, off.shape)),
        stage=stage,
        elapsed=elapsed,
    )


def constant(share: float, minutes: float) -> tuple[tuple[float, float], ...]:
    """Return a ramp that stays at one share."""
    return ((share, minutes),)


def overlapping(seen: World, polls: int = 4) -> World:
    """Return what a query over the last minute yields, read every 15 s: most of it again."""

    def over(part: Array) -> Array:
        sums = np.cumsum(part, axis=0)
        sums[polls:] = sums[polls:] - sums[:-polls]
        return sums

    return World(
        on=over(seen.on),
        off=over(seen.off),
        bad_on=over(seen.bad_on),
        bad_off=over(seen.bad_off),
        stage=seen.stage,
        elapsed=seen.elapsed,
    )


def twice(rng: np.random.Generator, seen: World, share: float = 0.1) -> World:
    """Return what is counted when a share of the polls is applied twice."""
    again = 1 + (rng.random(seen.shape) < share)
    parts = (part * again for part in (seen.on, seen.off, seen.bad_on, seen.bad_off))
    on, off, bad_on, bad_off = parts
    return World(
        on=on, off=off, bad_on=bad_on, bad_off=bad_off, stage=seen.stage, elapsed=seen.elapsed
    )


def missing(rng: np.random.Generator, seen: World, share: float = 0.3) -> World:
    """Return what is seen when polls fail and counters catch up, within a stage."""
    kept = rng.random(seen.shape[0]) >= share
    kept[-1] = True
    kept[:-1] |= np.diff(seen.stage) > 0
    starts = np.concatenate([[0], np.flatnonzero(kept)[:-1] + 1])
    on, off, bad_on, bad_off = (
        np.add.reduceat(part, starts, axis=0)
        for part in (seen.on, seen.off, seen.bad_on, seen.bad_off)
    )
    return World(
        on=on,
        off=off,
        bad_on=bad_on,
        bad_off=bad_off,
        stage=seen.stage[kept],
        elapsed=seen.elapsed[kept],
    )
