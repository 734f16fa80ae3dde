"""What do the guards say, and what follows from it?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from math import log

from flagstaff.rollouts import exposure, pairs, watching
from flagstaff.rollouts.event import Answer
from flagstaff.rollouts.evidence import judging
from flagstaff.rollouts.evidence.counts import Counts, Tally
from flagstaff.rollouts.evidence.durations import (
    duration_standing,
    log_credible_slower,
    log_faster,
    log_slower,
)
from flagstaff.rollouts.evidence.judging import Finding, log_any_safe
from flagstaff.rollouts.evidence.message import sentence, slower_sentence, spoken, to_one
from flagstaff.rollouts.evidence.ratio import (
    Evidence,
    advance_evidence,
    evidence_ratio,
    log_credible_harm,
)
from flagstaff.rollouts.evidence.settings import RatioGuard
from flagstaff.rollouts.evidence.several import Together, together
from flagstaff.rollouts.evidence.standing import Decision, Says, decide
from flagstaff.rollouts.guard import Arm, Guard, Judgement, Measurement, Response, Standing
from flagstaff.rollouts.plan import Bake
from flagstaff.rollouts.rollout import Rollout, Watch
from flagstaff.rollouts.rules import OnInconclusive

MOST_JOBS = 1_000_000.0
"""More jobs than this are not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """Whether a wait ends because of the guards, or all is put back; and why, in words."""

    ends: bool
    note: str
    rolls_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """A guard as it stands: worked out once, asked often."""

    guard: Guard
    watch: Watch
    spec: RatioGuard
    standing: Standing
    alone: bool


def judgements(rollout: Rollout, now: datetime) -> tuple[Judgement, ...]:
    """Return what every guard says, once it has been read."""
    return tuple(
        _judgement(rollout, _view(rollout, guard, now))
        for guard in rollout.plan.guards
        if watching.watch_of(rollout, guard).at is not None
    )


def harm(rollout: Rollout, now: datetime) -> str:
    """Return why the rollout must be rolled back, or nothing."""
    if not rollout.watching:
        return ""
    deciding = {
        each.name: _view(rollout, each, now)
        for each in rollout.plan.guards
        if watching.rolls_back(each)
    }
    for view in deciding.values():
        if view.standing is Standing.HARMFUL:
            return _rolled_back(rollout, view, now)
    for guard in rollout.plan.guards:
        lost = exposure.gone(guard, watching.watch_of(rollout, guard), now)
        if lost and not guard.dry_run:
            return f"Rolled back at {rollout.percentage:g} %: {guard.name}: {lost}"
    joint = _together(rollout, deciding.values())
    if not joint.harmful:
        return ""
    limit = to_one(joint.limit)
    all_of_them = f" All guards together: evidence {to_one(joint.evidence)}, limit {limit}."
    return _rolled_back(rollout, deciding[joint.largest], now) + all_of_them


def alarms(before: Rollout, after: Rollout, now: datetime) -> tuple[str, ...]:
    """Return what people have to hear of guards that show harm now and do not roll back."""
    return tuple(
        f"{words(after, guard, now)}; {_consequence(guard)}"
        for guard in after.plan.guards
        if not (guard.dry_run or watching.rolls_back(guard))
        and _standing(after, guard, now) is Standing.HARMFUL
        and _standing(before, guard, now) is not Standing.HARMFUL
    )


def waited(rollout: Rollout, now: datetime, bake: Bake) -> Waited:
    """Return whether a wait whose time is up ends, as far as the guards are concerned.

    None ends before every guard has been looked at since the last change in production.
    """
    guards = [_as_asked(each, bake) for each in rollout.plan.guards if not each.dry_run]
    unseen = [each for each in guards if not _seen(rollout, each)]
    if unseen:
        names = ", ".join(each.name for each in unseen)
        why = "; ".join(told for each in unseen if (told := _unread(rollout, each, now)))
        note = f"time is up; {names}: not read since the last change{f'; {why}' if why else ''}"
        return Waited(ends=False, note=note)
    standings = {each.name: _standing(rollout, each, now) for each in guards}
    unclear = [
        each for each in guards if each.required and standings[each.name] is Standing.INCONCLUSIVE
    ]
    advances = all(each.on_inconclusive is Response.ADVANCE for each in unclear)
    says = tuple(
        Says(standing=standings[each.name], required=each.required, on_harm=each.on_harm)
        for each in guards
    )
    if unclear and bake.on_inconclusive is OnInconclusive.ROLLBACK:
        named = "; ".join(words(rollout, each, now) for each in unclear)
        return Waited(ends=False, note=f"not settled in time: {named}", rolls_back=True)
    decision = decide(says, on_inconclusive=Response.ADVANCE if advances else Response.HOLD)
    worse = [each for each in guards if _worse_than_before(rollout, each)]
    if decision is Decision.ADVANCE and not worse:
        evidence = as_it_stands(rollout, now)
        names = ", ".join(each.name for each in unclear)
        return Waited(ends=True, note=f"unproven ({names}): {evidence}" if unclear else evidence)
    blocking = [
        _missing(rollout, each, standings[each.name], now)
        for each in guards
        if _blocks(each, standings[each.name])
    ]
    blocking += [
        f"{words(rollout, each, now)}: far more than before, and nothing to compare with that ran "
        "at the same time, so a person promotes or aborts it"
        for each in worse
    ]
    return Waited(ends=False, note="time is up; holding: " + "; ".join(blocking))


def shown_safe(rollout: Rollout, names: tuple[str, ...], now: datetime) -> Answer:
    """Return whether each of these guards shows safety, in their words."""
    known = {each.name: each for each in rollout.plan.guards}
    missing = [name for name in names if name not in known]
    if missing:
        return Answer(yes=False, text=f"the rollout has no guard {', '.join(missing)}")
    if not rollout.watching:
        return Answer(yes=False, text="guards watch from the first change in production on")
    guards = [known[name] for name in names]
    yes = all(_standing(rollout, each, now) is Standing.HEALTHY for each in guards)
    return Answer(yes=yes, text="; ".join(words(rollout, each, now) for each in guards))


def as_it_stands(rollout: Rollout, now: datetime) -> str:
    """Return what all guards say, in words."""
    return "; ".join(words(rollout, guard, now) for guard in rollout.plan.guards)


def words(rollout: Rollout, guard: Guard, now: datetime) -> str:
    """Return what a guard says, without a full stop."""
    return _words(_view(rollout, guard, now))


def _words(view: _View) -> str:
    guard, watch, spec, standing = view.guard, view.watch, view.spec, view.standing
    tally = watch.evidence.stage_treatment
    if standing is not Standing.HARMFUL and (wrong := exposure.trouble(guard, watch)):
        return f"{guard.name}: {wrong}"
    if guard.ranked and standing is not Standing.NO_DATA:
        return slower_sentence(watch.durations, pairs.ranking(guard, spec))
    if standing is Standing.NO_DATA or not view.alone:
        return sentence(_finding(view))
    counts = f"{guard.name}: {tally.bad:,.0f} of {tally.total:,.0f} {guard.counts} "
    counts += f"{guard.with_on} {guard.went_badly}"
    if watch.alone_at is not None:
        evidence = evidence_ratio(watching.log_above(watch, guard))
        return (
            f"{counts} and next to none {_ran_with_off(guard)} at the same time; evidence "
            f"{to_one(evidence)} that more than {100 * guard.harm_above:g} % do, "
            f"limit {to_one(1 / (spec.false_harm * spec.share))}"
        )
    before = watch.before
    compared = "; nothing is known of the old names before" if guard.query is None else ""
    if before.total:
        earlier = "under the old ones before" if guard.query is None else "with it off before"
        compared = (
            f", compared with {before.failed:,} of {before.total:,} {earlier} "
            "(from the day before the rollout on)"
        )
    finding = _finding(view)
    evidence_of = f"evidence of safety {to_one(finding.safe)}, asked for "
    return f"{counts}{compared}; {evidence_of}{to_one(finding.safe_limit)}"


def _standing(rollout: Rollout, guard: Guard, now: datetime) -> Standing:
    return _view(rollout, guard, now).standing


def _view(rollout: Rollout, guard: Guard, now: datetime) -> _View:
    watch = watching.watch_of(rollout, guard)
    spec = watching.settings(rollout, guard, watch)
    standing = _stands(rollout, guard, watch, spec, now)
    alone = watching.is_alone(rollout, watch)
    return _View(guard=guard, watch=watch, spec=spec, standing=standing, alone=alone)


def _stands(
    rollout: Rollout, guard: Guard, watch: Watch, spec: RatioGuard, now: datetime
) -> Standing:
    state, ranked = watch.evidence, watch.durations
    if any(each is not None for each in (watch.alone_at, state.harmful_at, ranked.harmful_at)):
        return Standing.HARMFUL
    if exposure.trouble(guard, watch):
        return Standing.NO_DATA
    in_stage = _seen(rollout, guard)
    found = judging.standing(state, spec)
    if guard.ranked:
        found = duration_standing(ranked, pairs.ranking(guard, spec))
    # A source that went away before the end of the last stage was read is away in this one too.
    if found is Standing.NO_DATA or (in_stage and found is not Standing.COLLECTING):
        return found
    if guard.max_time is None or not in_stage:
        return Standing.COLLECTING
    late = watching.elapsed(rollout, now) - state.stage_began >= guard.max_time.total_seconds()
    return Standing.INCONCLUSIVE if late else Standing.COLLECTING


def _finding(view: _View) -> Finding:
    found = judging.judge(view.watch.evidence, view.spec, standing_is=view.standing)
    if not view.guard.ranked:
        return found
    state = view.watch.durations
    harmful, safe = evidence_ratio(log_slower(state)), evidence_ratio(log_faster(state))
    return replace(found, harm=harmful, safe=safe)


def _judgement(rollout: Rollout, view: _View) -> Judgement:
    name, found = view.guard.name, _finding(view)
    comparable = found.treatment.total and found.control.total and not view.guard.ranked
    return Judgement(
        guard=name,
        verdict=found.verdict,
        evidence=_words(view),
        measurement=Measurement(
            guard=name,
            treatment=_arm(found.treatment),
            control=_arm(found.control),
            baseline=view.watch.before,
            error=found.reason if found.standing is Standing.NO_DATA else "",
        ),
        standing=found.standing,
        ratio=found.ratio.estimate if comparable else None,
        low=found.ratio.low,
        high=found.ratio.high,
        harm=found.harm,
        harm_limit=found.harm_limit,
        safe=found.safe,
        safe_limit=found.safe_limit,
        safe_ratio=watching.safe_ratio(rollout),
        longer=pairs.longer(view.watch.durations),
    )


def _arm(tally: Tally) -> Arm:
    return Arm(total=int(tally.total), failed=int(tally.bad))


def _together(rollout: Rollout, deciding: Collection[_View]) -> Together:
    logs = {each.guard.name: _log_credible(each) for each in deciding}
    shared = {each.guard.name: each.spec.share for each in deciding}
    return together(logs, shared, rollout.plan.statistics.false_rollback)


def _log_credible(view: _View) -> float:
    if view.guard.ranked:
        return log_credible_slower(view.watch.durations, pairs.ranking(view.guard, view.spec))
    return log_credible_harm(view.watch.evidence, view.spec)


def _rolled_back(rollout: Rollout, view: _View, now: datetime) -> str:
    watch = view.watch
    seconds = watching.elapsed(rollout, now) - watch.evidence.stage_began
    extra = round(watch.evidence.extra)
    reached = "" if view.guard.query is None else " reached users"
    count = f" About {extra:,} extra {view.guard.harmed}{reached}."
    if view.guard.by_actor:
        count = f" About {extra:,} {view.guard.counts} {view.guard.went_badly} who would not have."
    count = count if extra > 0 and not watch.alone_at else ""
    where = f"after {spoken(seconds)} at {rollout.percentage:g} %"
    return f"Rolled back {where}: {_words(view)}.{count}"


def _ran_with_off(guard: Guard) -> str:
    return "ran under the old ones" if guard.query is None else "came with the flag off"


def _consequence(guard: Guard) -> str:
    if guard.on_harm is Response.HOLD:
        return "the rollout stays where it is until a person promotes or aborts it"
    return "the rollout goes on: the guard only notifies"


def _worse_than_before(rollout: Rollout, guard: Guard) -> bool:
    watch = watching.watch_of(rollout, guard)
    tally = watch.evidence.stage_treatment
    if not (guard.against_baseline and watch.before.total and watching.is_alone(rollout, watch)):
        return False
    false_harm = rollout.plan.statistics.false_rollback
    return tally.bad >= guard.min_bad and watching.log_more_than_before(watch) >= -log(false_harm)


def _as_asked(guard: Guard, bake: Bake) -> Guard:
    """Return the guard with what the wait asks of it instead of what it says itself."""
    asked = replace(guard, max_time=bake.max_time or guard.max_time)
    if bake.on_inconclusive is None:
        return asked
    goes_on = bake.on_inconclusive is OnInconclusive.GO_ON
    return replace(asked, on_inconclusive=Response.ADVANCE if goes_on else Response.HOLD)


def _seen(rollout: Rollout, guard: Guard) -> bool:
    """Return whether the guard was read in this stage, be it that there was nothing to read."""
    state = watching.watch_of(rollout, guard).evidence
    return state.stage == watching.stage_of(rollout) and state.poll >= 0


def _unread(rollout: Rollout, guard: Guard, now: datetime) -> str:
    """Return why a guard could not be read, if somebody has tried."""
    tried = watching.watch_of(rollout, guard).at is not None
    no_data = tried and _standing(rollout, guard, now) is Standing.NO_DATA
    return words(rollout, guard, now) if no_data else ""


def _blocks(guard: Guard, standing: Standing) -> bool:
    if standing is Standing.HARMFUL:
        return guard.on_harm is not Response.NOTIFY
    return guard.required and standing is not Standing.HEALTHY


def _missing(rollout: Rollout, guard: Guard, standing: Standing, now: datetime) -> str:
    """Return what a guard needs before the wait ends."""
    if standing is Standing.COLLECTING and not guard.ranked:
        more = more_jobs(rollout, guard)
        if more is None:
            return f"{guard.name} cannot show safety at the rates seen so far"
        return f"{guard.name} needs about {more:,} more {guard.counts} {guard.with_on}"
    said = words(rollout, guard, now)
    if standing is Standing.INCONCLUSIVE and guard.max_time is not None:
        limit = spoken(guard.max_time.total_seconds())
        return f"{said}; not settled within {limit}, so a person promotes or aborts it"
    return said


def more_jobs(rollout: Rollout, guard: Guard) -> int | None:
    """Return about how many more jobs show safety if the flag is harmless; `None` for too many.

    They are taken to come and fail as they have in this stage, on both sides alike.
    """
    watch = watching.watch_of(rollout, guard)
    state, spec = watch.evidence, watching.settings(rollout, guard, watch)
    if state.stage != watching.stage_of(rollout):
        state, watch = Evidence(stage=watching.stage_of(rollout)), Watch(guard=guard.name)
    on, off = state.stage_treatment, watch.stage_control
    rate = (on.bad + off.failed) / (on.total + off.total) if on.total + off.total else 0.0
    others = off.total / on.total if on.total else 0.0

    def shown(jobs: float) -> bool:
        ahead = Counts(
            poll=state.poll + 1,
            elapsed=state.elapsed,
            stage=state.stage,
            treatment=Tally(total=jobs, bad=jobs * rate),
            control=Tally(total=jobs * others, bad=jobs * others * rate),
        )
        then = advance_evidence(state, ahead, spec)
        return evidence_ratio(log_any_safe(then, spec)) * spec.false_safe >= 1

    low, high = 0.0, 1.0
    while not shown(high):
        low, high = high, high * 2
        if high > MOST_JOBS:
            return None
    for _ in range(6):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return max(1, round(high))
