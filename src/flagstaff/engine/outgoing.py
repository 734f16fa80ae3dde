"""How does an effect leave for the outside, and what when it cannot?"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from flagstaff.engine.world import World
from flagstaff.errors import Conflict, FlagstaffError, Unavailable
from flagstaff.rollouts.effect import InvokeCommand
from flagstaff.rollouts.event import EffectDone, EffectFailed
from flagstaff.services import running
from flagstaff.services.person import ENGINE
from flagstaff.services.running import Outgoing, RolloutRecord
from flagstaff.services.services import Services

log = logging.getLogger(__name__)

TRIES = 8
"""After so many failed tries, two minutes or more, a person has to look."""

MOST_COMMANDS = 8
"""Commands at one time; others wait for their turn."""

NOTE_TRIES = 10
"""How often it is tried to note how a command has ended."""

FIRST_BACK_OFF = 1.0
"""Real seconds before the second try; each further wait is twice as long."""


class Outbox:
    """Performs what the outbox holds, each as often as it takes and noted once.

    Commands of the project may take hours, so each runs in a thread of its own, and posts do not
    wait for it. One that is under way when the process ends is run again, under the same key.

    Args:
        services: where the outbox is.
        world: what performs.
        wake: called when a command has ended.
    """

    def __init__(
        self, services: Services, world: World, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._services = services
        self._world = world
        self._wake = wake
        self._running: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def perform(self, key: str) -> None:
        """Do the effect with this key, if it is still wanted, and let its rollout hear of it."""
        found = self._services.ask(lambda unit: running.effect(unit, key), ENGINE)
        if found is None:
            return
        outgoing, record = found
        if isinstance(outgoing.effect, InvokeCommand):
            self._begin(outgoing, record)
        else:
            self._perform(outgoing, record)

    def join(self, seconds: float) -> None:
        """Wait until every command that is under way has ended, or the time is up."""
        end = time.monotonic() + seconds
        with self._lock:
            threads = list(self._running.values())
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _begin(self, outgoing: Outgoing, record: RolloutRecord) -> None:
        key = outgoing.effect.key
        with self._lock:
            if key in self._running or len(self._running) >= MOST_COMMANDS:
                return
            thread = threading.Thread(
                target=self._run, args=(outgoing, record), name="flagstaff-command", daemon=True
            )
            self._running[key] = thread
        thread.start()

    def _run(self, outgoing: Outgoing, record: RolloutRecord) -> None:
        try:
            self._perform(outgoing, record)
        except Exception:
            log.exception("%s has ended, and that could not be noted", outgoing.effect.key)
        finally:
            with self._lock:
                del self._running[outgoing.effect.key]
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

    def _note(self, outgoing: Outgoing, result: EffectDone | EffectFailed) -> None:
        """Note what came of it, if need be several times: a command shall not run again for it."""
        tries = NOTE_TRIES if isinstance(outgoing.effect, InvokeCommand) else 1
        for attempt in range(1, tries + 1):
            try:
                with self._services.unit(ENGINE, write=True) as unit:
                    running.finish_effect(unit, outgoing, result)
            except (Unavailable, Conflict):
                if attempt == tries:
                    raise
                time.sleep(FIRST_BACK_OFF * attempt)
            else:
                return

    def _failed(self, outgoing: Outgoing, error: FlagstaffError) -> None:
        again_at = None
        if isinstance(error, Unavailable) and outgoing.attempts + 1 < TRIES:
            again_at = self._services.clock.after(FIRST_BACK_OFF * 2**outgoing.attempts)
        log.warning("%s: %s", outgoing.effect.key, error)
        with self._services.unit(ENGINE, write=True) as unit:
            running.fail_effect(unit, outgoing, error, again_at=again_at)
