"""How does an effect leave for the outside, and what when it cannot?"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from flagstaff.engine.complaints import Complaints
from flagstaff.engine.leases import Leases
from flagstaff.engine.world import World
from flagstaff.errors import Conflict, FlagstaffError, Unavailable
from flagstaff.rollouts.effect import ChangeBroker, CloseIssue, InvokeCommand, OpenIssue
from flagstaff.rollouts.event import EffectDone, EffectFailed, EffectHeld
from flagstaff.rollouts.rollout import Phase
from flagstaff.services import running
from flagstaff.services.clock import elapsed
from flagstaff.services.person import ENGINE
from flagstaff.services.running import Outgoing, RolloutRecord
from flagstaff.services.services import Services

log = logging.getLogger(__name__)

TRIES = 8
"""After so many failed tries, two minutes or more, a person has to look."""

PATIENT = (CloseIssue, OpenIssue)
"""What is tried for ever: a forge that is away stops no rollout, and its issues catch up."""

LONG = (InvokeCommand, ChangeBroker)
"""What may take hours, and runs in a thread of its own."""

LONGEST_BACK_OFF = 300.0

HELD = 30.0
"""Real seconds, at most, before what could not happen yet is tried again."""

MOST_COMMANDS = 8
"""Commands at one time; others wait for their turn."""

NOTE_TRIES = 10
"""How often it is tried to note how a command has ended."""

FIRST_BACK_OFF = 1.0
"""Real seconds before the second try; each further wait is twice as long."""

PUT_BACK = 10.0
"""Real seconds before one that could not be tried, or not be noted, is anybody's again."""


class Outbox:
    """Performs what the outbox holds, each as often as it takes and noted once.

    Commands of the project, and what is done at a broker, may take hours, so each runs in a thread
    of its own, and posts do not wait for it. One that is under way when the process ends is run
    again, under the same key.

    Args:
        services: where it reads and writes.
        world: where it acts.
        leases: what this process has the leases of: an effect is done by one of them at a time.
        complaints: where it says what goes wrong.
        wake: called when a command has ended.
    """

    def __init__(
        self,
        services: Services,
        world: World,
        leases: Leases,
        complaints: Complaints,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._services = services
        self._world = world
        self._leases = leases
        self._complaints = complaints
        self._wake = wake
        self._running: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def perform_due(self, may_go_on: Callable[[], bool]) -> None:
        """Do what is due, one after the other."""
        while may_go_on() and (claimed := self._claim()):
            key, token = claimed
            began = False
            with self._complaints.about(f"effect {key}") as attempt:
                began = self._do(key, token)
            if not began:
                self._let_go(key, token, good=attempt.good)

    def _claim(self) -> tuple[str, int] | None:
        with self._lock:
            under_way = frozenset(self._running)
        if not self._services.ask(
            lambda unit: running.any_effect_due(unit, besides=under_way), ENGINE
        ):
            return None
        asked_at, claimant = elapsed(), self._leases.claimant()
        with self._services.unit(ENGINE, write=True) as unit:
            claimed = running.claim_effect(unit, claimant, besides=under_way)
        if claimed is not None:
            self._leases.hold(*claimed, asked_at=asked_at)
        return claimed

    def _put_back(self, key: str, token: int) -> None:
        again_at = self._services.clock.after(PUT_BACK)
        with self._services.unit(ENGINE, write=True) as unit:
            running.put_back(unit, key, token, again_at)

    def _let_go(self, key: str, token: int, *, good: bool) -> None:
        self._leases.drop(key)
        if not good:
            with self._complaints.about("the outbox"):
                self._put_back(key, token)

    def _do(self, key: str, token: int) -> bool:
        """Do an effect, if it is still ours to do; return whether a thread goes on with it."""
        found = self._services.ask(lambda unit: running.effect(unit, key, token), ENGINE)
        if found is None or not self._leases.is_sure(key):
            return False
        outgoing, record = found
        if isinstance(outgoing.effect, ChangeBroker) and record.rollout.phase is Phase.PAUSED:
            # It may be held for days: whoever pauses meanwhile wants none of it.
            self._put_back(key, token)
            return False
        if isinstance(outgoing.effect, LONG):
            return self._begin(outgoing, record)
        self._perform(outgoing, record)
        return False

    def join(self, seconds: float) -> None:
        """Wait until every command that is under way has ended, or the time is up."""
        end = time.monotonic() + seconds
        with self._lock:
            threads = list(self._running.values())
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _begin(self, outgoing: Outgoing, record: RolloutRecord) -> bool:
        """Run a command in a thread of its own; return whether there was room for one."""
        key = outgoing.effect.key
        with self._lock:
            if len(self._running) >= MOST_COMMANDS:
                self._put_back(key, outgoing.lease_token)
                return False
            thread = threading.Thread(
                target=self._run, args=(outgoing, record), name="flagstaff-command", daemon=True
            )
            self._running[key] = thread
        self._leases.keep(key)
        thread.start()
        return True

    def _run(self, outgoing: Outgoing, record: RolloutRecord) -> None:
        key = outgoing.effect.key
        try:
            with self._complaints.about(f"effect {key}") as attempt:
                self._perform(outgoing, record)
            self._let_go(key, outgoing.lease_token, good=attempt.good)
        finally:
            with self._lock:
                del self._running[key]
            self._wake()

    def _perform(self, outgoing: Outgoing, record: RolloutRecord) -> None:
        key = outgoing.effect.key
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
            self._note(outgoing, result)

    def _note(self, outgoing: Outgoing, result: EffectDone | EffectFailed | EffectHeld) -> None:
        """Note what came of it, if need be several times: a command shall not run again for it."""
        tries = NOTE_TRIES if isinstance(outgoing.effect, LONG) else 1
        for attempt in range(1, tries + 1):
            try:
                with self._services.unit(ENGINE, write=True) as unit:
                    if isinstance(result, EffectHeld):
                        again_at = self._services.clock.after(min(_rest(outgoing), HELD))
                        running.hold_effect(unit, outgoing, result, again_at)
                    else:
                        running.finish_effect(unit, outgoing, result)
            except (Unavailable, Conflict):
                if attempt == tries:
                    raise
                time.sleep(FIRST_BACK_OFF * attempt)
            else:
                return

    def _failed(self, outgoing: Outgoing, error: FlagstaffError) -> None:
        again_at = None
        patient = isinstance(outgoing.effect, PATIENT)
        if isinstance(error, Unavailable) and (patient or outgoing.attempts + 1 < TRIES):
            again_at = self._services.clock.after(min(_rest(outgoing), LONGEST_BACK_OFF))
        if not patient or not outgoing.attempts or again_at is None:
            log.warning("%s: %s", outgoing.effect.key, error)
        with self._services.unit(ENGINE, write=True) as unit:
            running.fail_effect(unit, outgoing, error, again_at=again_at)


def _rest(outgoing: Outgoing) -> float:
    return FIRST_BACK_OFF * float(2 ** min(outgoing.attempts, TRIES))
