"""What will each stage of a plan be able to tell, at the traffic there is?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from math import inf, log, log1p

from flagstaff.flags.change import PercentageOfActors
from flagstaff.rollouts.evidence.actors import unit_problem
from flagstaff.rollouts.evidence.message import spoken
from flagstaff.rollouts.evidence.planner import Reach, detectable, detectable_in_pairs, reach
from flagstaff.rollouts.evidence.several import shares
from flagstaff.rollouts.guard import Arm, Guard
from flagstaff.rollouts.plan import Bake, Plan, SetGate, Step
from flagstaff.rollouts.rollout import Rollout, StepState, StepStatus
from flagstaff.rollouts.watching import rolls_back, safe_ratio

EVERYBODY = 100.0
UNSEEN = 2.0
"""Harm of so many times the rate, and less, should not get through a stage unseen."""

BETS = 10.0
"""Bets on the failure rate, times the two routes to safety: so much is lost on those that lose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What one wait, by its id, can tell: in words, and what is wrong with it, if anything is."""

    step: str
    text: str
    warning: str = ""


def forecasts(plan: Plan, guard: Guard, seen: Arm, over: timedelta) -> tuple[Forecast, ...]:
    """Return what each wait of the plan can tell about a guard.

    Args:
        plan: what is going to be done.
        guard: one of its guards.
        seen: what there was to count lately, such as jobs under the old names.
        over: in how long a time.
    """
    rate = seen.total / over.total_seconds()
    return tuple(
        _forecast(rollout, step, step.action, guard, seen, rate)
        for rollout, step in _waits(plan)
        if isinstance(step.action, Bake)
    )


def unit_note(plan: Plan) -> str:
    """Return what people should know of guards that count calls of actors, or nothing.

    Sentry counts people, and a job seldom belongs to one of few.
    """
    sticky = any(
        isinstance(each.action, SetGate) and isinstance(each.action.change, PercentageOfActors)
        for each in plan.steps
    )
    calls = [
        each
        for each in plan.guards
        if each.query is not None
        and not each.query.exposure
        and not each.by_actor
        and rolls_back(each)
    ]
    may_count = any(each.query is not None and each.query.flag for each in calls)
    problem = unit_problem(sticky=sticky, counts_actors=not calls, may_count=may_count)
    notes = [f"{', '.join(each.name for each in calls)}: {problem}"] if problem else []
    people = [each.name for each in plan.guards if each.by_actor]
    if people and not sticky:
        notes.append(
            f"{', '.join(people)}: actors are counted, but the plan draws none by lot; they will "
            "have nobody to compare"
        )
    return "; ".join(notes)


def _waits(plan: Plan) -> Iterator[tuple[Rollout, Step]]:
    """Yield each wait in production with the rollout as it will stand then."""
    rollout = Rollout.of(plan)
    for step in plan.steps:
        if isinstance(step.action, Bake) and rollout.percentage:
            yield rollout, step
        if rollout.state(step.id).status is not StepStatus.SKIPPED:
            rollout = rollout.with_state(StepState(id=step.id, status=StepStatus.DONE))


def _forecast(
    rollout: Rollout, step: Step, bake: Bake, guard: Guard, seen: Arm, rate: float
) -> Forecast:
    if guard.ranked:
        return Forecast(step=step.id, text=_in_pairs(rollout, step, bake, guard, rate))
    if not seen.total:
        text = f"{step.title}: no {guard.counts} {guard.with_off} were seen"
        warning = f"{step.title}: it will wait for a person"
        return Forecast(step=step.id, text=text, warning=warning)
    share = rollout.percentage / EVERYBODY
    seconds = bake.duration.total_seconds()
    stage = _reach(rollout, guard, seen, share, rate, seconds)
    jobs = f"about {rate * share * seconds:,.0f} {guard.counts} {guard.with_on}"
    if share >= 1:
        harm = f"harm is that more than {100 * guard.harm_above:g} % {guard.go_badly}"
    elif stage.detectable == inf:
        harm = "sees no harm until then"
    else:
        harm = f"sees harm from {stage.detectable:.2g}x on before it ends"
    safe = "never" if stage.safe_after == inf else f"after about {spoken(stage.safe_after)}"
    text = f"{step.title}: {jobs}; {harm}; safety is shown {safe}"
    return Forecast(step=step.id, text=text, warning=_warning(step, guard, stage))


def _in_pairs(rollout: Rollout, step: Step, bake: Bake, guard: Guard, rate: float) -> str:
    """Return what comparing in pairs can tell; a wait never waits for it."""
    share = rollout.percentage / EVERYBODY
    jobs = rate * bake.duration.total_seconds()
    text = f"{step.title}: about {jobs * share:,.0f} {guard.counts} {guard.with_on}"
    if share >= 1:
        return f"{text}; there is nothing to compare with"
    least = detectable_in_pairs(share, jobs, _false_harm(rollout, guard))
    if least == inf:
        return f"{text}; too few to compare in pairs"
    margin = guard.harm_ratio
    longer = f"more than {margin:g} times as long" if margin > 1 else "longer"
    harm = f"sees harm if the one {guard.with_on} takes {longer} in {100 * least:.0f} % of pairs"
    return f"{text}; {harm}"


def _false_harm(rollout: Rollout, guard: Guard) -> float:
    """Return the guard's part of the chance of a rollback without harm."""
    weights = {each.name: each.weight for each in rollout.plan.guards if rolls_back(each)}
    part = shares(weights)[guard.name] if guard.name in weights else 1.0
    return rollout.plan.statistics.false_rollback * part


def _reach(
    rollout: Rollout, guard: Guard, seen: Arm, share: float, rate: float, seconds: float
) -> Reach:
    statistics = rollout.plan.statistics
    false_harm = _false_harm(rollout, guard)
    ratio = safe_ratio(rollout)
    stage = reach(
        base=max(seen.rate, 0.5 / (seen.total + 1)),
        share=share,
        rate=rate,
        seconds=seconds,
        false_harm=false_harm,
        harm_ratio=guard.harm_ratio,
        safe_ratio=ratio,
        false_safe=statistics.false_safe,
    )
    level = max(guard.safe_below, ratio * seen.rate) if share >= 1 else guard.safe_below
    absolute = inf
    if level > seen.rate:
        gain = seen.rate * log(max(seen.rate, 1e-9) / level) if seen.rate else 0.0
        gain += (1 - seen.rate) * (log1p(-seen.rate) - log1p(-level))
        absolute = log(BETS / statistics.false_safe) / gain / (rate * share)
    safe_after = min(stage.safe_after, absolute)
    if share >= 1 or seconds >= safe_after or safe_after == inf:
        return replace(stage, safe_after=safe_after)
    # The wait goes on until there is safety, and so does the watch for harm.
    found = detectable(
        max(seen.rate, 0.5 / (seen.total + 1)),
        share,
        rate * safe_after,
        false_harm,
        guard.harm_ratio,
    )
    return replace(stage, safe_after=safe_after, detectable=found)


def _warning(step: Step, guard: Guard, stage: Reach) -> str:
    if guard.max_time and stage.safe_after > guard.max_time.total_seconds():
        limit = spoken(guard.max_time.total_seconds())
        return f"{step.title}: safety is not shown within `max_time` ({limit})"
    if stage.safe_after == inf:
        return f"{step.title}: safety is never shown, so it will wait for a person"
    if stage.share < 1 and stage.detectable > UNSEEN:
        return f"{step.title}: {UNSEEN:g}x gets through unseen; wait longer, or begin with more"
    return ""
