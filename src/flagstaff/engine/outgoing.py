"""How does an effect leave for the outside, and what when it cannot?"""

from __future__ import annotations

import logging
from collections.abc import Callable

from flagstaff.engine.complaints import Complaints
from flagstaff.engine.leases import Leases
from flagstaff.engine.world import World
from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.services import running
from flagstaff.services.clock import elapsed
from flagstaff.services.person import ENGINE
from flagstaff.services.running import Outgoing
from flagstaff.services.services import Services

log = logging.getLogger(__name__)

TRIES = 8
"""After so many failed tries, two minutes or more, a person has to look."""

FIRST_BACK_OFF = 1.0
"""Real seconds before the second try; each further wait is twice as long."""

PUT_BACK = 10.0
"""Real seconds before one that could not be tried, or not be noted, is anybody's again."""


class Outbox:
    """Performs what the outbox holds, each as often as it takes and noted once.

    Args:
        services: where it reads and writes.
        world: where it acts.
        leases: what this process has the leases of: an effect is done by one of them at a time.
        complaints: where it says what goes wrong.
    """

    def __init__(
        self, services: Services, world: World, leases: Leases, complaints: Complaints
    ) -> None:
        self._services = services
        self._world = world
        self._leases = leases
        self._complaints = complaints

    def perform_due(self, may_go_on: Callable[[], bool]) -> None:
        """Do what is due, one after the other."""
        while may_go_on() and (claimed := self._claim()):
            key, token = claimed
            with self._complaints.about(f"effect {key}") as attempt:
                self._perform(key, token)
            self._leases.drop(key)
            if not attempt.good:
                with self._complaints.about("the outbox"):
                    self._put_back(key, token)

    def _claim(self) -> tuple[str, int] | None:
        if not self._services.ask(running.any_effect_due, ENGINE):
            return None
        asked_at, claimant = elapsed(), self._leases.claimant()
        with self._services.unit(ENGINE, write=True) as unit:
            claimed = running.claim_effect(unit, claimant)
        if claimed is not None:
            self._leases.hold(*claimed, asked_at=asked_at)
        return claimed

    def _put_back(self, key: str, token: int) -> None:
        again_at = self._services.clock.after(PUT_BACK)
        with self._services.unit(ENGINE, write=True) as unit:
            running.put_back(unit, key, token, again_at)

    def _perform(self, key: str, token: int) -> None:
        """Do an effect, if it is still ours to do, and let its rollout hear of it."""
        found = self._services.ask(lambda unit: running.effect(unit, key, token), ENGINE)
        if found is None or not self._leases.is_sure(key):
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
        if isinstance(error, Unavailable) and outgoing.attempts + 1 < TRIES:
            again_at = self._services.clock.after(FIRST_BACK_OFF * 2**outgoing.attempts)
        log.warning("%s: %s", outgoing.effect.key, error)
        with self._services.unit(ENGINE, write=True) as unit:
            running.fail_effect(unit, outgoing, error, again_at=again_at)
