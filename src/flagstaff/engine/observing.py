"""How does the world look to one rollout right now?"""

from __future__ import annotations

from typing import Final, assert_never

from flagstaff.engine.inquiries import Inquiries
from flagstaff.engine.world import World
from flagstaff.rollouts.checks import (
    CheckCommand,
    CheckDrained,
    CheckFlag,
    CheckHealth,
    CheckHttp,
    CheckWorkersReady,
)
from flagstaff.rollouts.event import Answer, Observed
from flagstaff.rollouts.guard import Measurement
from flagstaff.rollouts.judging import harm
from flagstaff.rollouts.needs import Check, Needs, needs
from flagstaff.rollouts.rollout import Rollout
from flagstaff.rollouts.watching import changed_at, due, kept_of, read
from flagstaff.services import actors, checking, running
from flagstaff.services.person import ENGINE
from flagstaff.services.running import RolloutRecord
from flagstaff.services.services import Services

JUST_GUARDS: Final = Needs(guards=True)


def observe(
    services: Services, world: World, inquiries: Inquiries, record: RolloutRecord
) -> Observed:
    """Return what the rollout's next step wants to know, and the readings of its guards.

    When a guard sees harm nothing else is asked, so that no other trouble can hide it.

    Raises:
        Unavailable: nobody answers.
    """
    rollout = record.rollout
    questions = needs(rollout)
    measured = _measure(services, world, rollout) if questions.guards else ()
    if questions == JUST_GUARDS:
        return Observed(measurements=measured)
    now = services.clock.now()
    if harm(read(rollout, measured, now), now):
        return Observed(measurements=measured, harmful=True)
    deployed = released = merged = None
    if questions.deployed is not None or questions.released is not None or questions.merged:
        deployed, released, merged = services.ask(
            lambda unit: running.answers(unit, questions), ENGINE
        )
    policy = _policy(services, record) if questions.policy else None
    closing = facts = None
    if questions.closing:
        closing = services.ask(lambda unit: running.closing(unit, rollout), ENGINE)
    if questions.condition:
        facts = services.ask(
            lambda unit: checking.facts_for(unit, rollout, questions.condition), ENGINE
        )
    return Observed(
        deployed=deployed,
        released=released,
        merged=merged,
        policy=policy,
        closing=closing,
        check=_checked(services, inquiries, rollout, questions.check),
        facts=facts,
        measurements=measured,
    )


def _checked(
    services: Services, inquiries: Inquiries, rollout: Rollout, check: Check | None
) -> Answer | None:
    """Return what our own state, or the outside said to the check that the step is."""
    step = rollout.current
    if check is None or step is None:
        return None
    retry_at = rollout.state(step.id).retry_at
    if retry_at is not None and services.clock.now() < retry_at:
        return None
    match check:
        case CheckFlag():
            return services.ask(lambda unit: checking.flag_is_as_said(unit, rollout, check), ENGINE)
        case CheckHealth():
            said = services.health.lately()
            return services.ask(lambda unit: checking.production_is_well(unit, said), ENGINE)
        case CheckCommand() | CheckHttp() | CheckWorkersReady() | CheckDrained():
            key = f"{rollout.id}/{step.id}/{rollout.epoch}"
            return inquiries.answer(key, check, number=rollout.id, flag=rollout.plan.flag)
        case _:
            assert_never(check)


def _policy(services: Services, record: RolloutRecord) -> Answer:
    """Return whether policies let the next step change the flag now."""
    return services.ask(
        lambda unit: running.allowed(unit, record.rollout),
        ENGINE,
        healthy=services.health.lately(),
    )


def _measure(services: Services, world: World, rollout: Rollout) -> tuple[Measurement, ...]:
    if rollout.watch_since is None:
        return ()
    wall = services.clock.wall
    since, changes = wall(rollout.watch_since), tuple(map(wall, changed_at(rollout)))
    wanted = due(rollout, services.clock.now())
    kept = {each.name: kept_of(rollout, each, since, changes) for each in wanted}
    people: dict[str, Measurement] = {}
    if any(each.by_actor for each in wanted):
        people = services.ask(
            lambda unit: {
                each.name: actors.measure(unit, rollout, each, kept[each.name])
                for each in wanted
                if each.by_actor
            },
            ENGINE,
        )
    return tuple(
        people[each.name] if each.by_actor else world.measure(each, kept[each.name])
        for each in wanted
    )
