"""How is a job put off without being lost, and how does it come back?"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from kombu.exceptions import OperationalError

from flagstaff.workers.running import HEADER
from flagstaff.workers.switches import Action, Switches, Trickle, delay

log = logging.getLogger("flagstaff")

PAUSE = 1.0
"""Seconds until a job is published again that the broker did not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """How jobs are put off.

    Attributes:
        first: seconds for which a job is put off at first; it doubles each time.
        longest: seconds that it does not exceed. It has to be shorter than the broker waits for an
            acknowledgement, or jobs come twice: an hour on Redis.
        rate: so many jobs a second come back in each process once they may run; 0 is no limit.
    """

    first: float = 300.0
    longest: float = 900.0
    rate: float = 10.0


class Gate:
    """Keeps jobs from running where a switch says so.

    Args:
        switches: of the environment.
        deferral: how jobs are put off.
    """

    def __init__(self, switches: Switches, deferral: Deferral) -> None:
        self._switches, self._deferral = switches, deferral
        self._trickle = Trickle(deferral.rate)

    def __call__(self, task: Any, request: Any, header: dict[str, Any]) -> Action | None:
        """Return what was done with a job instead of running it, `None` when it shall run."""
        times = _times(header)
        if not times and not self._switches.has(task.name):
            return None
        action = self._switches.action(task.name, f"{request.id}:{times}")
        if action is Action.DROP:
            log.info("%s[%s] was dropped: a switch says so", task.name, request.id)
            return action
        released = action is None and times > 0
        if action is None and (not released or self._trickle.passes()):
            return None
        # One that may run, and whose turn it is not, comes back sooner.
        settings = self._deferral
        seconds = delay(settings.first, 0 if released else times, settings.longest)
        self._put_off(task, request, header, times + 1, seconds / 4 if released else seconds)
        return Action.DEFER

    def _put_off(
        self, task: Any, request: Any, header: dict[str, Any], times: int, seconds: float
    ) -> None:
        signature = task.signature_from_request(request, countdown=seconds)
        headers = {
            **(signature.options.get("headers") or {}),
            HEADER: {**header, "deferred": times},
        }
        while True:
            try:
                signature.apply_async(headers=headers, add_to_parent=False)
            except (OperationalError, OSError) as exc:
                # It is acknowledged already, perhaps, and then it is nowhere but here.
                log.warning("%s[%s] cannot be put off yet: %s", task.name, request.id, exc)
                time.sleep(PAUSE)
            else:
                break
        log.info("%s[%s] was put off for %.0f s", task.name, request.id, seconds)


def _times(header: dict[str, Any]) -> int:
    times = header.get("deferred")
    return times if isinstance(times, int) and times > 0 else 0
