"""What has each guard seen so far, and when is a reading counted?

Sources count from the beginning of the watch, so a poll is what they say now less what the evidence
holds already: reading twice adds nothing, and neither does a reading that was never committed. A
poll lies in one stage: it is cut where the flag changes in production.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import log

from flagstaff.rollouts import exposure, pairs
from flagstaff.rollouts.evidence.actors import first_failures
from flagstaff.rollouts.evidence.below import evidence_below
from flagstaff.rollouts.evidence.counts import Counts, Missing, Reading, Tally
from flagstaff.rollouts.evidence.onset import Onset
from flagstaff.rollouts.evidence.ratio import Evidence, advance_evidence
from flagstaff.rollouts.evidence.settings import Model, RatioGuard
from flagstaff.rollouts.evidence.several import shares
from flagstaff.rollouts.evidence.single_arm import BeforeAfter, log_more
from flagstaff.rollouts.guard import Arm, Exposed, Guard, Kept, Measurement, Response
from flagstaff.rollouts.plan import Bake
from flagstaff.rollouts.query import Place
from flagstaff.rollouts.rollout import Rollout, Watch

MISSING_POLLS = 3
"""So many readings without data in a row are no data; more of the same are not worth a write."""

FEW, SOME = 5.0, 25.0
SAFE_AT = (4.0, 2.5, 1.5)
"""Ratio to be excluded before a stage with few, some or many people is over: the wider, the fewer
the next one can hurt."""

ALONE = 20
"""With so many times as many jobs under the new names as under the old ones, nothing runs at the
same time that they could be compared with."""

EVERYBODY = 100.0

LEAST_PLANNED = timedelta(hours=1)

IDLE = timedelta(minutes=1)
"""How far a source is read at most, in real time, before that is written though nothing came."""


def read(
    rollout: Rollout, measurements: Sequence[Measurement], now: datetime, *, cut: bool = False
) -> Rollout:
    """Return the rollout with what was measured in its evidence, as far as a poll is due.

    Nothing changes while there is nothing new.

    Args:
        rollout: as it stood.
        measurements: what the sources say, since the beginning of the watch.
        now: when they said so.
        cut: the flag is about to change in production, so that a poll is due whenever the last was.
    """
    if not rollout.watching:
        return rollout
    found = {each.guard: each for each in measurements}
    watches = tuple(
        _read(rollout, guard, found[guard.name], now, cut=cut)
        if guard.name in found
        else watch_of(rollout, guard)
        for guard in rollout.plan.guards
    )
    if watches == tuple(watch_of(rollout, guard) for guard in rollout.plan.guards):
        return rollout
    return replace(rollout, watches=watches)


def watch_of(rollout: Rollout, guard: Guard) -> Watch:
    """Return what the guard knows; nothing before its first reading."""
    for watch in rollout.watches:
        if watch.guard == guard.name:
            return watch
    return Watch(guard=guard.name)


def due(rollout: Rollout, now: datetime) -> tuple[Guard, ...]:
    """Return the guards whose source is to be read now.

    While a bake lasts, what is read sooner than a poll after the last would not be counted.
    """
    step = rollout.current
    if step is None or not isinstance(step.action, Bake):
        return rollout.plan.guards
    until = rollout.state(step.id).until
    if until is None or now >= until:
        return rollout.plan.guards
    return tuple(
        guard
        for guard in rollout.plan.guards
        if next_poll(rollout, guard, now) <= now
        or watch_of(rollout, guard).evidence.stage != stage_of(rollout)
    )


def next_poll(rollout: Rollout, guard: Guard, now: datetime) -> datetime:
    """Return when what the guard's source says is counted next; `now` if it was never read."""
    at = watch_of(rollout, guard).at
    return now if at is None else max(at + rollout.plan.statistics.poll, now)


def kept_of(rollout: Rollout, guard: Guard, since: datetime, changes: tuple[datetime, ...]) -> Kept:
    """Return what a source has to know to read on; both times are real ones."""
    watch, exposed = watch_of(rollout, guard), None
    if guard.query is not None and guard.query.exposure:
        exposed = _exposed(rollout, guard.query.exposure)
    return Kept(
        since=since,
        changes=changes,
        treatment=watch.treatment,
        control=watch.control,
        place=watch.place,
        exposed=exposed,
    )


def _exposed(rollout: Rollout, name: str) -> Exposed | None:
    for watch in rollout.watches:
        if watch.guard == name and watch.place.at is not None:
            on, off = watch.treatment.total, watch.control.total
            return Exposed(treatment=on, control=off, at=watch.place.at)
    return None


def stage_of(rollout: Rollout) -> int:
    """Return how often the rollout has changed the flag in production."""
    return len(rollout.production_changes)


def changed_at(rollout: Rollout) -> tuple[datetime, ...]:
    """Return when the rollout changed the flag in production, as far as it did so itself."""
    times = (rollout.state(step.id).finished_at for step in rollout.production_changes)
    return tuple(sorted(each for each in times if each is not None))


def elapsed(rollout: Rollout, now: datetime) -> float:
    """Return the seconds since watching began."""
    since = rollout.watch_since or now
    return (now - since).total_seconds()


def is_alone(rollout: Rollout, watch: Watch) -> bool:
    """Return whether the stage has no control: next to nothing runs under the old names.

    Where some are held back on purpose, that is far less than they are.
    """
    share = rollout.percentage
    meant = max(1.0, share / (EVERYBODY - share)) if share < EVERYBODY else 1.0
    return watch.stage_control.total * ALONE * meant < watch.evidence.stage_treatment.total


def safe_ratio(rollout: Rollout) -> float:
    """Return the ratio that must be excluded before the next step."""
    share = rollout.percentage
    return SAFE_AT[0] if share <= FEW else SAFE_AT[1] if share <= SOME else SAFE_AT[2]


def settings(rollout: Rollout, guard: Guard, watch: Watch) -> RatioGuard:
    """Return the guard in the terms of its evidence, as they are in this stage.

    What harm is stays the same in the whole rollout.
    """
    statistics = rollout.plan.statistics
    deciding = {each.name: each.weight for each in rollout.plan.guards if rolls_back(each)}
    ratio, below = safe_ratio(rollout), guard.safe_below
    if is_alone(rollout, watch) and watch.before.total:
        below = min(max(below, ratio * watch.before.rate), max(below, guard.harm_above))
    bakes = (each.action for each in rollout.plan.steps)
    planned = sum((each.duration for each in bakes if isinstance(each, Bake)), timedelta())
    return RatioGuard(
        name=guard.name,
        harm_ratio=guard.harm_ratio,
        safe_ratio=ratio,
        safe_below=below,
        min_excess=guard.min_excess,
        min_bad=guard.min_bad,
        false_harm=statistics.false_rollback,
        share=shares(deciding)[guard.name] if guard.name in deciding else 1.0,
        false_safe=statistics.false_safe,
        onset=Onset(planned=max(planned, LEAST_PLANNED).total_seconds()),
        missing_polls=MISSING_POLLS,
        noun=guard.noun,
        model=Model.BINOMIAL if guard.by_actor else Model.AUTO,
        required=guard.required,
        dry_run=guard.dry_run,
        on_harm=guard.on_harm,
    )


def rolls_back(guard: Guard) -> bool:
    """Return whether harm of the guard rolls the rollout back."""
    return guard.on_harm is Response.ROLLBACK and not guard.dry_run


def log_above(watch: Watch, guard: Guard) -> float:
    """Return the logarithm of the evidence that more of the stage's jobs fail than may at most."""
    tally = watch.evidence.stage_treatment
    good = Tally(total=tally.total, bad=tally.total - tally.bad)
    return evidence_below(good, 1.0 - guard.harm_above)


def log_more_than_before(watch: Watch) -> float:
    """Return the logarithm of the evidence that far more of the stage's jobs fail than before.

    It rests on nothing else having changed, so it can keep a rollout where it is and no more.
    """
    before = Tally(total=watch.before.total, bad=watch.before.failed)
    return log_more(before, watch.evidence.stage_treatment, BeforeAfter())


def _read(
    rollout: Rollout, guard: Guard, measured: Measurement, now: datetime, *, cut: bool
) -> Watch:
    watch = watch_of(rollout, guard)
    if guard.ranked and not pairs.follows(watch, measured):
        return watch
    stage = stage_of(rollout) - measured.behind
    if measured.behind and _too_early(rollout, watch, measured.behind):
        return watch
    begins = watch.evidence.stage != stage
    resting = watch.at is not None and now - watch.at < rollout.plan.statistics.poll
    if resting and not cut and not begins:
        return watch
    reading = _reading(watch, measured, stage, elapsed(rollout, now))
    if reading is None:
        far = _far(watch, measured)
        return watch if far is None else replace(watch, place=far)
    spec = settings(rollout, guard, watch)
    evidence = advance_evidence(watch.evidence, reading, spec)
    if guard.ranked:
        ranked = pairs.compared(watch, measured, reading, pairs.ranking(guard, spec))
        watch = replace(watch, durations=ranked)
    watch = replace(watch, evidence=evidence, at=now)
    if begins:
        watch = replace(watch, stage_control=Arm())
    if measured.error:
        return replace(watch, blind_since=watch.blind_since or now)
    if isinstance(reading, Counts):
        if not measured.behind:
            watch = exposure.counted(rollout, guard, watch, reading)
        stage_control = watch.stage_control + (measured.control - watch.control)
        earlier = _arm(evidence.control) - stage_control
        watch = replace(watch, stage_control=stage_control, before=measured.baseline + earlier)
    place = measured.place or watch.place
    watch = replace(
        watch, blind_since=None, treatment=measured.treatment, control=measured.control, place=place
    )
    return _without_control(rollout, guard, watch, now)


def _reading(watch: Watch, measured: Measurement, stage: int, seconds: float) -> Reading | None:
    """Return the poll, or `None` when it would tell nothing new."""
    state: Evidence = watch.evidence
    poll, begins = state.poll + 1, state.stage != stage or state.poll < 0
    if measured.error:
        known = state.reason == measured.error and state.missing >= MISSING_POLLS
        if known and not begins:
            return None
        return Missing(poll=poll, elapsed=seconds, stage=stage, reason=measured.error)
    treatment, control = measured.treatment - watch.treatment, measured.control - watch.control
    if measured.on_crowd is not None and measured.off_crowd is not None:
        if not (treatment != Arm() or control != Arm() or begins or state.missing):
            return None
        return first_failures(
            measured.on_crowd,
            measured.off_crowd,
            poll=poll,
            elapsed=seconds,
            stage=stage,
            new=(treatment.total, control.total),
        )
    if _went_back(treatment) or _went_back(control):
        reason = (
            "there are fewer jobs in the logs than before: some are gone"
            if measured.place is None
            else "there is less in the source than before, or more that failed than there is"
        )
        return Missing(poll=poll, elapsed=seconds, stage=stage, reason=reason)
    if not (treatment.total or control.total or begins or state.missing):
        return None
    return Counts(
        poll=poll,
        elapsed=seconds,
        stage=stage,
        treatment=Tally(total=treatment.total, bad=treatment.failed),
        control=Tally(total=control.total, bad=control.failed),
    )


def _too_early(rollout: Rollout, watch: Watch, behind: int) -> bool:
    """Return whether what was read is of before the watch, or of a stage that is closed."""
    before = behind >= len(changed_at(rollout))
    return before or stage_of(rollout) - behind < watch.evidence.stage


def _far(watch: Watch, measured: Measurement) -> Place | None:
    """Return how far a source without news was read, when that is worth a write."""
    place = measured.place
    if measured.error or place is None or place.at is None:
        return None
    return place if watch.place.at is None or place.at - watch.place.at >= IDLE else None


def _went_back(arm: Arm) -> bool:
    return arm.failed < 0 or arm.total < arm.failed


def _arm(tally: Tally) -> Arm:
    return Arm(total=int(tally.total), failed=int(tally.bad))


def _without_control(rollout: Rollout, guard: Guard, watch: Watch, now: datetime) -> Watch:
    """Note harm that needs no control: far too many of the jobs fail."""
    tally = watch.evidence.stage_treatment
    if watch.alone_at or not is_alone(rollout, watch) or tally.bad < guard.min_bad:
        return watch
    spec = settings(rollout, guard, watch)
    proven = log_above(watch, guard) >= -log(spec.false_harm * spec.share)
    return replace(watch, alone_at=now) if proven else watch
