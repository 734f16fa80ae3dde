"""When does a rollout want to be looked at again, and what may happen before?

A look that is too early does nothing, one that is too late makes the rollout wait: so whoever runs
rollouts looks at the times given here, and at once when something happens.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flagstaff.rollouts.checks import Wait
from flagstaff.rollouts.needs import needs
from flagstaff.rollouts.plan import Bake, DeleteFlag, SetGate
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus
from flagstaff.rollouts.waking import wakes_at
from flagstaff.rollouts.watching import next_poll

SWEEP: Final = timedelta(minutes=10)
"""Between looks where only a signal can move the rollout, in case one was lost."""

SOONEST, LATEST = timedelta(seconds=2), timedelta(minutes=1)
"""Between looks whether what a step waits for has come."""

PATIENCE: Final = 20
"""What was waited for so long is asked for again after a 20th of it."""

FIRST_CHECK: Final = timedelta(seconds=5)
SETTLED: Final = timedelta(hours=1)
"""After the last change of a rollout that is over, nobody checks its flag any more."""

DEPLOYMENTS, POLICIES = "deployments", "policies"
"""Facts that a rollout can wait for, and be woken by."""


def next_look(rollout: Rollout, now: datetime) -> datetime | None:
    """Return when to look again after a look that changed nothing; `None` is never.

    >>> from flagstaff.rollouts.plan import Plan
    >>> next_look(Rollout.of(Plan(flag="f", title="", steps=())), datetime(2026, 3, 2))
    """
    if rollout.phase.finished or rollout.phase in {Phase.PENDING, Phase.EXPIRED}:
        return None
    found, known = now + SWEEP, wakes_at(rollout)
    if known is not None and known > now:
        found = min(found, known)
    if rollout.watching and rollout.plan.guards:
        found = min(found, _next_poll(rollout, now))
    step = rollout.current
    if step is None:
        return now
    if rollout.phase is Phase.PAUSED:
        return found
    state = rollout.state(step.id)
    if state.status in {StepStatus.WAITING, StepStatus.FAILED}:
        return found
    if isinstance(step.action, Bake | Wait) and state.until is not None and now < state.until:
        return found
    if state.retry_at is not None and now < state.retry_at:
        return found
    return min(found, now + _patience(state, now))


def waits_for(rollout: Rollout) -> str:
    """Return the facts that may move the rollout when they change, with spaces between."""
    asked = needs(rollout)
    facts = []
    if asked.deployed is not None or asked.released is not None:
        facts.append(DEPLOYMENTS)
    if asked.policy:
        facts.append(POLICIES)
    return " ".join(facts)


def next_check(rollout: Rollout, now: datetime) -> datetime | None:
    """Return when to check that the flag is as the rollout left it; `None` is never.

    The longer ago its last change, the more seldom.
    """
    changed = last_change(rollout)
    if changed is None:
        return None
    age = now - changed
    if rollout.phase.finished and age >= SETTLED:
        return None
    return now + min(max(age, FIRST_CHECK), SWEEP)


def leeway(rollout: Rollout) -> timedelta:
    """Return by how much the check may be earlier or later, so that a look for guards does it."""
    polls = rollout.watching and rollout.plan.guards
    return rollout.plan.statistics.poll / 2 if polls else timedelta()


def last_change(rollout: Rollout) -> datetime | None:
    """Return when the rollout last changed the flag, `None` if it never did."""
    if not rollout.touched:
        return None
    if rollout.phase is Phase.ROLLED_BACK:
        return rollout.finished_at
    changes = (
        state.finished_at
        for step, state in zip(rollout.plan.steps, rollout.states, strict=True)
        if isinstance(step.action, SetGate | DeleteFlag) and state.finished_at is not None
    )
    return max(changes, default=rollout.started_at)


def _next_poll(rollout: Rollout, now: datetime) -> datetime:
    """Return a poll after the last one, also when there was a look between the two."""
    polls = (next_poll(rollout, guard, now) for guard in rollout.plan.guards)
    later = [each for each in polls if each > now]
    return min(later, default=now + rollout.plan.statistics.poll)


def _patience(state: StepState, now: datetime) -> timedelta:
    waited = now - state.since if state.since is not None else timedelta()
    return min(max(waited / PATIENCE, SOONEST), LATEST)
