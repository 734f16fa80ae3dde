"""How does the world look to one rollout right now?"""

from __future__ import annotations

from flagstaff.engine.world import World
from flagstaff.rollouts.event import Answer, Observed
from flagstaff.rollouts.guard import Judgement, judge
from flagstaff.rollouts.needs import needs
from flagstaff.services import running
from flagstaff.services.person import ENGINE
from flagstaff.services.running import RolloutRecord
from flagstaff.services.services import Services


def observe(services: Services, world: World, record: RolloutRecord) -> Observed:
    """Return what the rollout's next step wants to know, and the readings of its guards.

    When a guard sees harm nothing else is asked, so that no other trouble can hide it.

    Raises:
        Unavailable: nobody answers.
    """
    questions = needs(record.rollout)
    judgements: tuple[Judgement, ...] = ()
    if questions.guards:
        judgements = _judge(services, world, record)
    if (seen := Observed(judgements=judgements)).harmful:
        return seen
    deployed, released, merged = services.ask(lambda unit: running.answers(unit, questions), ENGINE)
    policy = _policy(services, record) if questions.policy else None
    return Observed(
        deployed=deployed, released=released, merged=merged, policy=policy, judgements=judgements
    )


def _policy(services: Services, record: RolloutRecord) -> Answer:
    """Return whether policies let the next step change the flag now."""
    return services.ask(
        lambda unit: running.allowed(unit, record.rollout),
        ENGINE,
        healthy=services.health.lately(),
    )


def _judge(services: Services, world: World, record: RolloutRecord) -> tuple[Judgement, ...]:
    rollout = record.rollout
    if rollout.watch_since is None:
        return ()
    since = services.clock.wall(rollout.watch_since)
    judgements = tuple(judge(guard, world.measure(guard, since)) for guard in rollout.plan.guards)
    if judgements != record.readings:
        with services.unit(ENGINE, write=True) as unit:
            running.save_readings(unit, rollout.id, judgements)
    return judgements
