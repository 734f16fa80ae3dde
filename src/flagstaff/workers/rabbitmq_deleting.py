"""How is a queue of RabbitMQ deleted, if nothing is in it and nothing was handed out of it?

RabbitMQ deletes a queue "if it is empty" with everything that was handed out of it. So nobody else
may take from it for as long as figures are late, and they have to say then that nothing is out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flagstaff.workers.rabbitmq_management import LATE, Management
from flagstaff.workers.rabbitmq_places import MISSING

PAUSE = 1.0
"""Seconds between two questions."""


def delete_in_rabbitmq(
    connection: Any,
    management: Management,
    queue: str,
    *,
    late: float = LATE,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[bool, str]:
    """Delete a queue that is empty.

    Args:
        connection: Kombu's, of an AMQP transport.
        management: of the broker.
        queue: its name.
        late: seconds after which figures are those of now.
        clock: for tests.

    Returns:
        Whether it was there, and why it still is.
    """
    channel = connection.channel()
    try:
        there = channel.queue_declare(queue, passive=True)
        if there.message_count or there.consumer_count:
            return True, (
                f"{there.message_count} messages wait in {queue}, "
                f"and {there.consumer_count} consumers take from it"
            )
        doubt = _doubt_while_ours(connection, channel, management, queue, late, clock)
        if not doubt:
            channel.queue_delete(queue, if_unused=True, if_empty=True)
    except connection.channel_errors as exc:
        if exc.reply_code == MISSING:
            return False, ""
        return True, f"RabbitMQ refuses: {exc}"
    else:
        return True, doubt
    finally:
        channel.close()


def _doubt_while_ours(
    connection: Any,
    channel: Any,
    management: Management,
    queue: str,
    late: float,
    clock: Callable[[], float],
) -> str:
    """Be the only consumer for a while; return why the queue may not be deleted."""
    came: list[Any] = []
    channel.basic_qos(0, 1, a_global=False)
    tag = channel.basic_consume(queue, callback=came.append, exclusive=True)
    began = clock()
    while not came and clock() - began < late:
        try:
            connection.drain_events(timeout=PAUSE)
        except TimeoutError:
            continue
    found = {each.name: each for each in management.report().queues}.get(queue)
    channel.basic_cancel(tag)
    if came:
        channel.basic_recover(requeue=True)
        return f"a message came into {queue}: somebody still publishes to it"
    if found is None or found.unacked is None:
        return f"RabbitMQ has no figures of {queue} yet"
    return f"{found.unacked} messages of {queue} are handed out" if found.unacked else ""
