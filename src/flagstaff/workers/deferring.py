"""How is a job put off without being lost, and how does it come back?"""

from __future__ import annotations

import logging
import math
import time
from typing import Any

from kombu.exceptions import EncodeError, OperationalError

from flagstaff.workers.headers import HEADER
from flagstaff.workers.switches import Action, Switches
from flagstaff.workers.verdicts import Deferral, Judge, ran, times_of

log = logging.getLogger("flagstaff")

PAUSE = 1.0
"""Seconds until a job is published again that the broker did not take."""

PICKLE = {"pickle", "application/x-python-serialize"}
"""What `accept_content` may call it."""


class Gate:
    """Keeps jobs from running where a switch says so.

    Args:
        switches: of the environment.
        deferral: how jobs are put off.
    """

    def __init__(self, switches: Switches, deferral: Deferral) -> None:
        self._switches, self._judge = switches, Judge(switches, deferral)

    def __call__(self, task: Any, request: Any, header: dict[str, Any]) -> Action | None:
        """Return what was done with a job instead of running it, `None` when it shall run."""
        times = times_of(header)
        if not times and not self._switches.has(task.name):
            return None
        verdict = self._judge(task.name, request.id, times)
        if verdict is None:
            if times:
                request.headers = {**(request.headers or {}), HEADER: ran(header)}
            return None
        if verdict.action is Action.DROP:
            log.info("%s[%s] was dropped: a switch says so", task.name, request.id)
        else:
            self._put_off(task, request, header, times + 1, verdict.seconds)
        return verdict.action

    def _put_off(
        self, task: Any, request: Any, header: dict[str, Any], times: int, seconds: float
    ) -> None:
        seconds = min(seconds, _longest(task.app))
        signature = task.signature_from_request(request, countdown=seconds)
        headers = {
            **(signature.options.get("headers") or {}),
            HEADER: {**header, "deferred": times},
        }
        more: dict[str, Any] = {}
        while True:
            try:
                signature.apply_async(headers=headers, add_to_parent=False, **more)
            except EncodeError:
                if more or not _takes_pickle(task.app):
                    raise
                more = {"serializer": "pickle"}  # as its publisher must have chosen for this one
            except Exception as exc:
                if not isinstance(exc, _refusals(task.app)):
                    raise
                # It is acknowledged already, perhaps, and then it is nowhere but here.
                log.warning("%s[%s] cannot be put off yet: %s", task.name, request.id, exc)
                time.sleep(PAUSE)
            else:
                break
        log.info("%s[%s] was put off for %.0f s", task.name, request.id, seconds)


def _longest(app: Any) -> float:
    """Return for how many seconds a job may wait for its time in a worker's hands.

    It is not acknowledged meanwhile, and a broker that gives it to somebody else makes two of it.
    """
    visible = (app.conf.broker_transport_options or {}).get("visibility_timeout")
    return visible / 2 if isinstance(visible, int | float) and visible > 0 else math.inf


def _takes_pickle(app: Any) -> bool:
    return not PICKLE.isdisjoint(app.conf.accept_content or ())


def _refusals(app: Any) -> tuple[type[Exception], ...]:
    """Return what is raised by a broker that is away, is full, or refuses; they end."""
    connection = app.connection_for_write()
    kinds = (*connection.connection_errors, *connection.channel_errors)
    return (OperationalError, OSError, *kinds)
