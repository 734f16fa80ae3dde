"""What does a guard know that compares single durations, in pairs?

Its `DurationEvidence` stands beside the watch's `Evidence`, which counts the polls and the jobs of
both sides, and nothing that is bad. What it shows is one of several evidences: those of the bounds,
which only count, are averaged with it.
"""

from __future__ import annotations

from flagstaff.rollouts.evidence.counts import Counts, Reading
from flagstaff.rollouts.evidence.durations import (
    DurationEvidence,
    DurationGuard,
    Durations,
    advance_durations,
)
from flagstaff.rollouts.evidence.settings import RatioGuard
from flagstaff.rollouts.guard import Guard, Measurement
from flagstaff.rollouts.rollout import Watch


def ranking(guard: Guard, spec: RatioGuard) -> DurationGuard:
    """Return the guard in the terms of its evidence; `spec` is what it says as one that counts.

    `harm_ratio` is how many times as long is nothing to act on.
    """
    return DurationGuard(
        name=guard.name,
        noun=guard.counts,
        with_on=guard.with_on,
        margin=guard.harm_ratio,
        safe_margin=spec.safe_ratio,
        false_harm=spec.false_harm,
        share=spec.share,
        false_safe=spec.false_safe,
        missing_polls=spec.missing_polls,
        onset=spec.onset,
        required=spec.required,
        dry_run=spec.dry_run,
        on_harm=spec.on_harm,
    )


def follows(watch: Watch, measured: Measurement) -> bool:
    """Return whether these durations come next: each of them is counted in what is new.

    A reading that was made before the last one entered the evidence holds durations that are in it.
    """
    new = measured.treatment - watch.treatment, measured.control - watch.control
    told = len(measured.on_durations), len(measured.off_durations)
    return bool(measured.error) or (new[0].total, new[1].total) == told


def compared(
    watch: Watch, measured: Measurement, reading: Reading, guard: DurationGuard
) -> DurationEvidence:
    """Return the evidence with one poll's durations in it."""
    if not isinstance(reading, Counts):
        return advance_durations(watch.durations, reading, guard)
    seen = Durations(
        poll=reading.poll,
        elapsed=reading.elapsed,
        stage=reading.stage,
        treatment=measured.on_durations,
        control=measured.off_durations,
    )
    return advance_durations(watch.durations, seen, guard)


def longer(state: DurationEvidence) -> float | None:
    """Return in which share of pairs the one with the flag on took longer, 0 to 1."""
    return state.won / state.pairs if state.pairs else None
