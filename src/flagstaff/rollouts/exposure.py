"""Do those come who should, and is there anything to read at all?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from flagstaff.rollouts.evidence.counts import Counts, Tally
from flagstaff.rollouts.evidence.message import spoken
from flagstaff.rollouts.evidence.volume import VolumeEvidence, VolumeGuard, advance_volume
from flagstaff.rollouts.guard import Guard, Response
from flagstaff.rollouts.rollout import Rollout, Watch

EVERYBODY = 100.0

BLIND = timedelta(minutes=30)
"""After so long without data a guard that says so rolls back."""

SPLIT = VolumeGuard()


def counted(rollout: Rollout, guard: Guard, watch: Watch, counts: Counts) -> Watch:
    """Return the watch with a poll in what is known of the split.

    Where all or none have the flag on there is no split.
    """
    share = rollout.percentage / EVERYBODY
    if not guard.split or not 0 < share < 1:
        return watch
    if counts.new is not None:
        on, off = (Tally(total=each) for each in counts.new)
        counts = replace(counts, treatment=on, control=off)
    return replace(watch, volume=advance_volume(watch.volume, counts, share, SPLIT))


def trouble(guard: Guard, watch: Watch) -> str:
    """Return what is wrong with who comes, or nothing."""
    state: VolumeEvidence = watch.volume
    if not guard.split:
        return ""
    if state.silent:
        return f"no {guard.counts} come with the flag on, and about {state.absent:,.0f} should have"
    if state.off_at is None:
        return ""
    on, off = watch.treatment.total, watch.control.total
    return (
        f"{on:,} {guard.counts} with the flag on and {off:,} with it off are not what the "
        "percentage says; a person promotes or aborts it"
    )


def gone(guard: Guard, watch: Watch, now: datetime) -> str:
    """Return why the rollout must go back without any harm being shown, or nothing."""
    if guard.split and watch.volume.dead:
        return trouble(guard, watch)
    if guard.on_no_data is not Response.ROLLBACK or watch.blind_since is None:
        return ""
    silent = now - watch.blind_since
    if silent < BLIND:
        return ""
    return f"no data for {spoken(silent.total_seconds())}: {watch.evidence.reason}"
