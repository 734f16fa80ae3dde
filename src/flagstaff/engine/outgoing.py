"""How does an effect leave for the outside, and what when it cannot?"""

from __future__ import annotations

import logging

from flagstaff.engine.world import World
from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.rollouts.effect import CloseIssue, OpenIssue
from flagstaff.services import running
from flagstaff.services.person import ENGINE
from flagstaff.services.running import Outgoing
from flagstaff.services.services import Services

log = logging.getLogger(__name__)

TRIES = 8
"""After so many failed tries, two minutes or more, a person has to look."""

PATIENT = (CloseIssue, OpenIssue)
"""What is tried for ever: a forge that is away stops no rollout, and its issues catch up."""

LONGEST_BACK_OFF = 300.0

FIRST_BACK_OFF = 1.0
"""Real seconds before the second try; each further wait is twice as long."""


class Outbox:
    """Performs what the outbox holds, each as often as it takes and noted once."""

    def __init__(self, services: Services, world: World) -> None:
        self._services = services
        self._world = world

    def perform(self, key: str) -> None:
        """Do the effect with this key, if it is still wanted, and let its rollout hear of it."""
        found = self._services.ask(lambda unit: running.effect(unit, key), ENGINE)
        if found is None:
            return
        outgoing, record = found
        try:
            result = self._world.perform(outgoing.effect, record.rollout.plan)
        except FlagstaffError as exc:
            self._failed(outgoing, exc)
        except Exception as exc:
            log.exception("%s met a fault", key)
            fault = FlagstaffError(
                f"a fault in Flagstaff: {type(exc).__name__}: {exc}",
                hint="the log of the server says where; then: flagstaff rollout retry ID",
            )
            self._failed(outgoing, fault)
        else:
            with self._services.unit(ENGINE, write=True) as unit:
                running.finish_effect(unit, outgoing, result)

    def _failed(self, outgoing: Outgoing, error: FlagstaffError) -> None:
        again_at = None
        patient = isinstance(outgoing.effect, PATIENT)
        if isinstance(error, Unavailable) and (patient or outgoing.attempts + 1 < TRIES):
            wait = FIRST_BACK_OFF * 2 ** min(outgoing.attempts, TRIES)
            again_at = self._services.clock.after(min(wait, LONGEST_BACK_OFF))
        if not patient or not outgoing.attempts or again_at is None:
            log.warning("%s: %s", outgoing.effect.key, error)
        with self._services.unit(ENGINE, write=True) as unit:
            running.fail_effect(unit, outgoing, error, again_at=again_at)
