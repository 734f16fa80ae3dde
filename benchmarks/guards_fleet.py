"""How do thousands of rollouts fare at once? The evidence of `rollouts.evidence`, side by side.

The same sums as `advance_evidence` for harm upwards with the binomial likelihood, in arrays over
rollouts; `same_as_core` proves it on the very counts before any figure is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from flagstaff.rollouts.evidence.bets import Direction, harm_bets, safe_bets
from flagstaff.rollouts.evidence.counts import Counts, Tally
from flagstaff.rollouts.evidence.onset import USUAL, Onset
from flagstaff.rollouts.evidence.ratio import (
    LEAST_EXPOSURE,
    Evidence,
    advance_evidence,
    log_harm,
    log_safe,
)
from flagstaff.rollouts.evidence.settings import Model, RatioGuard

Array = np.ndarray

FLOOR = 1e-280


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What every poll of every rollout saw: arrays of polls by rollouts."""

    on: Array
    off: Array
    bad_on: Array
    bad_off: Array
    stage: Array
    elapsed: Array

    def at(self, poll: int) -> Array:
        """Return one poll as rows: on, off, bad on, bad off."""
        parts = (self.on, self.off, self.bad_on, self.bad_off)
        return np.stack([part[poll] for part in parts]).astype(float)

    @property
    def shape(self) -> tuple[int, int]:
        """Return the numbers of polls and of rollouts."""
        return self.on.shape[0], self.on.shape[1]


class Fleet:
    """Evidence of harm, and of safety within the stage, for many rollouts at once."""

    def __init__(
        self, runs: int, margin: float = 1.0, onset: Onset = USUAL, safe: float = 0.0
    ) -> None:
        bets = harm_bets(margin, Direction.UP)
        count = len(bets.log_stakes)
        self._log_ratios = np.array(bets.log_ratios[:count])
        self._ratios = np.array(bets.ratios[:count])
        self._stakes = np.exp(bets.log_stakes)
        self._margin = margin
        self._onset = onset
        self._logs = np.zeros((runs, count))
        self._unstaked = 1.0
        self._stage = 0
        self._stages = 0
        self._open = np.zeros((4, runs))
        self.harm = np.ones(runs)
        self._safe_margin = safe
        if safe:
            kept = safe_bets(safe, Direction.UP)
            half = len(kept.log_stakes)
            self._safe_log_ratios = np.array(kept.log_ratios[:half])
            self._safe_ratios = np.array(kept.ratios[:half])
            self._safe_stakes = np.exp(kept.log_stakes)
            self._safe_logs = np.zeros((runs, half))
        self.safe = np.ones(runs)

    def poll(self, seen: Array, stage: int, elapsed: float) -> None:
        """Take in one poll: rows on, off, bad on, bad off."""
        if stage != self._stage:
            self._compare(np.ones(seen.shape[1], dtype=bool))
            self._stages += 1
            self._stage = stage
            if self._safe_margin:
                self._safe_logs[:] = 0.0
        left = min(self._unstaked, self._onset.unstaked(elapsed, self._stages))
        self._logs += self._unstaked - left
        self._unstaked = left
        self._open += seen
        self._compare(self._open[0] + self._open[1] >= LEAST_EXPOSURE)
        self.harm = self._logs @ self._stakes + self._unstaked
        if self._safe_margin:
            self.safe = np.exp(np.minimum(self._safe_logs, 600.0)) @ self._safe_stakes

    def _compare(self, rows: Array) -> None:
        on, off, bad_on, bad_off = self._open
        told = np.flatnonzero(rows & (on > 0) & (off > 0) & (bad_on + bad_off > 0))
        if told.size:
            n, c, x = on[told, None], off[told, None], bad_on[told, None]
            bad = x + bad_off[told, None]
            gain = x * (self._log_ratios - log(self._margin)) + bad * (
                np.log(self._margin * n + c) - np.log(self._ratios * n + c)
            )
            grown = self._logs[told] * np.exp(np.minimum(gain, 600.0))
            self._logs[told] = np.clip(grown, 0.0, 1e280)
            if self._safe_margin:
                m = self._safe_margin
                self._safe_logs[told] += x * (self._safe_log_ratios - log(m)) + bad * (
                    np.log(m * n + c) - np.log(self._safe_ratios * n + c)
                )
        self._open[:, rows] = 0.0


def crossings(
    world: World,
    risks: Sequence[float],
    *,
    margin: float = 1.0,
    onset: Onset = USUAL,
    least_bad: int = 0,
) -> dict[float, Array]:
    """Return for each risk the minute of each rollout's rollback, infinite for none."""
    polls, runs = world.shape
    fleet = Fleet(runs, margin, onset)
    at = {risk: np.full(runs, np.inf) for risk in risks}
    bad = np.zeros(runs)
    for poll in range(polls):
        fleet.poll(world.at(poll), int(world.stage[poll]), float(world.elapsed[poll]))
        bad += world.bad_on[poll]
        for risk, when in at.items():
            new = (fleet.harm >= 1 / risk) & (bad >= least_bad) & np.isinf(when)
            when[new] = world.elapsed[poll] / 60
    return at


def same_as_core(world: World, runs: int, margin: float) -> float:
    """Return the largest difference in log evidence between arrays and core, over all polls."""
    polls = world.shape[0]
    fleet = Fleet(runs, margin, safe=2.0)
    guard = RatioGuard(name="g", model=Model.BINOMIAL, harm_ratio=margin, safe_ratio=2.0)
    states = [Evidence() for _ in range(runs)]
    worst = 0.0
    for poll in range(polls):
        seen = world.at(poll)[:, :runs]
        stage, elapsed = int(world.stage[poll]), float(world.elapsed[poll])
        fleet.poll(seen, stage, elapsed)
        for run in range(runs):
            on, off, bad_on, bad_off = (float(each) for each in seen[:, run])
            counts = Counts(
                poll=poll,
                elapsed=elapsed,
                stage=stage,
                treatment=Tally(total=on, bad=bad_on),
                control=Tally(total=off, bad=bad_off),
            )
            states[run] = advance_evidence(states[run], counts, guard)
            harm = abs(log_harm(states[run], guard) - np.log(max(fleet.harm[run], FLOOR)))
            safe = abs(log_safe(states[run], guard) - np.log(max(fleet.safe[run], FLOOR)))
            if log_safe(states[run], guard) < -600:  # noqa: PLR2004 arrays stop counting there
                safe = 0.0
            worst = max(worst, float(harm), float(safe))
    return worst
