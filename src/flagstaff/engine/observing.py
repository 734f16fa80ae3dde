"""How does the world look to one rollout right now?"""

from __future__ import annotations

from flagstaff.engine.world import World
from flagstaff.rollouts.event import Answer, Observed
from flagstaff.rollouts.guard import Measurement
from flagstaff.rollouts.judging import harm
from flagstaff.rollouts.needs import needs
from flagstaff.rollouts.rollout import Rollout
from flagstaff.rollouts.watching import read
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
    rollout = record.rollout
    questions = needs(rollout)
    measured = _measure(services, world, rollout) if questions.guards else ()
    now = services.clock.now()
    if harm(read(rollout, measured, now), now):
        return Observed(measurements=measured, harmful=True)
    deployed = released = merged = None
    if questions.deployed is not None or questions.released is not None or questions.merged:
        deployed, released, merged = services.ask(
            lambda unit: running.answers(unit, questions), ENGINE
        )
    policy = _policy(services, record) if questions.policy else None
    closing = None
    if questions.closing:
        closing = services.ask(lambda unit: running.closing(unit, rollout), ENGINE)
    return Observed(
        deployed=deployed,
        released=released,
        merged=merged,
        policy=policy,
        closing=closing,
        measurements=measured,
    )


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
    since = services.clock.wall(rollout.watch_since)
    return tuple(world.measure(guard, since) for guard in rollout.plan.guards)
