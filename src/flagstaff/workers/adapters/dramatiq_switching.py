"""How is a message of Dramatiq put off or dropped where a switch says so?"""

from __future__ import annotations

import logging
import time
from typing import Any

from dramatiq import Middleware
from dramatiq.middleware import SkipMessage
from redis.exceptions import RedisError

from flagstaff.workers.adapters.protocol import HEADER
from flagstaff.workers.switches import Action, Switches
from flagstaff.workers.verdicts import Deferral, Judge, ran, times_of

log = logging.getLogger("flagstaff")

PAUSE = 1.0
"""Seconds until a message is published again that Redis did not take."""


class Gate(Middleware):
    """Keeps messages from running where a switch says so.

    Args:
        switches: of the environment.
        deferral: how they are put off.
    """

    def __init__(self, switches: Switches, deferral: Deferral) -> None:
        self._switches, self._judge = switches, Judge(switches, deferral)

    def before_process_message(self, broker: Any, message: Any) -> None:
        """Skip a message that is not to run; what is put off is published anew before that.

        Raises:
            SkipMessage: it was put off or dropped.
        """
        header = message.options.get(HEADER)
        header = header if isinstance(header, dict) else {}
        times = times_of(header)
        if not times and not self._switches.has(message.actor_name):
            return
        verdict = self._judge(message.actor_name, message.message_id, times)
        if verdict is None:
            if times:
                message.options[HEADER] = ran(header)
            return
        if verdict.action is Action.DEFER:
            again = message.copy(options={HEADER: {**header, "deferred": times + 1}})
            _publish(broker, again, round(verdict.seconds * 1_000))
            # Whoever waits for its result shall have that of the run to come.
            message.options["store_results"] = False
        log.info("%s[%s] was %s", message.actor_name, message.message_id, verdict.action.value)
        raise SkipMessage(f"{verdict.action.value} by a switch")


def _publish(broker: Any, message: Any, delay: int) -> None:
    while True:
        try:
            broker.enqueue(message, delay=delay)
        except (RedisError, OSError) as exc:
            log.warning(
                "%s[%s] cannot be put off yet: %s", message.actor_name, message.message_id, exc
            )
            time.sleep(PAUSE)
        else:
            return
