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
