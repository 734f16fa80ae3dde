"""Do as many come with the flag on as the percentage says, and does anyone come at all?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log

from flagstaff.rollouts.evidence.bets import Direction, harm_bets
from flagstaff.rollouts.evidence.counts import Counts, Tally
from flagstaff.rollouts.evidence.likelihood import binomial

EXPECTED = 20.0
"""Requests with the flag on that should have come before their absence counts: by chance none of 20
come once in 500 million polls."""

POLLS = 2
"""Further polls without any after which the cohort is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeGuard:
    """The split must be near what is configured.

    Args:
        tolerance: how many times as many, or as few, as configured is still right, 1 or more.
        false_alarm: chance of an alarm when the split is right.
    """

    tolerance: float = 1.1
    false_alarm: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeEvidence:
    """What is known of the split: log likelihood ratios of the bets, and how long it was silent.

    `absent` is how many should have come with the flag on since the last one did, `silent_polls`
    the polls since that became too many.
    """

    poll: int = -1
    logs: tuple[float, ...] = ()
    absent: float = 0.0
    silent_polls: int = 0
    off_at: float | None = None

    @property
    def silent(self) -> bool:
        """Return whether nobody comes with the flag on, though they should: hold at once."""
        return self.absent >= EXPECTED

    @property
    def dead(self) -> bool:
        """Return whether that has gone on for too long: roll back."""
        return self.silent and self.silent_polls >= POLLS


def advance_volume(
    state: VolumeEvidence, counts: Counts, share: float, guard: VolumeGuard
) -> VolumeEvidence:
    """Return what is known after a poll; one that is not newer than the last changes nothing.

    Args:
        state: what was known before.
        counts: who came. Actors, or calls when each call draws its own lot.
        share: configured share with the flag on, above 0 and below 1.
        guard: how far off is wrong.
    """
    if counts.poll <= state.poll:
        return state
    on, off = counts.treatment.total, counts.control.total
    absent = 0.0 if on else state.absent + off * share / (1.0 - share)
    silent_polls = state.silent_polls + 1 if not on and state.absent >= EXPECTED else 0
    bets = harm_bets(guard.tolerance, Direction.BOTH)
    treatment, control = Tally(total=share, bad=on), Tally(total=1.0 - share, bad=off)
    gains = bets.gains(binomial(treatment, control, bets.log_ratios, bets.ratios))
    logs = state.logs or (0.0,) * len(gains)
    state = replace(
        state,
        poll=counts.poll,
        logs=tuple(log + gain for log, gain in zip(logs, gains, strict=True)),
        absent=absent,
        silent_polls=silent_polls,
    )
    if state.off_at is None and bets.value(state.logs) >= -log(guard.false_alarm):
        return replace(state, off_at=counts.elapsed)
    return state
