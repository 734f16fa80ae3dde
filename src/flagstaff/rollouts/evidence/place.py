"""What is new in counters that only ever grow?

The place is committed with the evidence, in one row. A poll that was read but not committed is read
again from the old place, a bigger one; nothing is counted twice or lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.rollouts.evidence.counts import Counts, Missing, Reading, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far both cohorts' counters had come at the last committed poll; none before the first."""

    treatment: Tally | None = None
    control: Tally | None = None


def read_on(
    place: Place,
    treatment: Tally,
    control: Tally,
    *,
    poll: int,
    elapsed: float,
    stage: int = 0,
) -> tuple[Place, Reading]:
    """Return the new place, and what happened since the last.

    The first reading only marks the place: what came before the watch is no comparison. A counter
    that fell was lost, by a restart or with a rotated log: what happened in between is dropped on
    both sides, since half of it would be a difference.

    Args:
        place: where the last committed poll ended.
        treatment: the flag-on counters now, since whenever.
        control: the flag-off counters now.
        poll: number of this poll.
        elapsed: seconds since watching began.
        stage: number of the stage.
    """
    here = Place(treatment=treatment, control=control)
    if place.treatment is None or place.control is None:
        return here, Counts(poll=poll, elapsed=elapsed, stage=stage)
    new = _since(place.treatment, treatment), _since(place.control, control)
    if new[0] is None or new[1] is None:
        reason = "a counter fell: what happened since the last reading is left out"
        return here, Missing(poll=poll, elapsed=elapsed, stage=stage, reason=reason)
    return here, Counts(poll=poll, elapsed=elapsed, stage=stage, treatment=new[0], control=new[1])


def _since(before: Tally, now: Tally) -> Tally | None:
    total, bad = now.total - before.total, now.bad - before.bad
    if total < 0 or bad < 0 or (bad and not total):
        return None
    return Tally(total=total, bad=bad)
