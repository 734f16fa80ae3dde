"""What can be seen of a RabbitMQ broker without taking a message out of it?

A passive declare counts what is ready and changes nothing. It reads no message and does not count
what is handed out, so that a queue is empty or unknown, and what is unacknowledged always unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flagstaff.workers.places import Place

DELAYED = tuple(f"celery_delayed_{level}" for level in range(28))
"""Where Celery's native delayed delivery keeps jobs that are due later."""

MISSING = 404


def rabbitmq_places(connection: Any, queues: Iterable[str]) -> list[Place]:
    """Return the queues that are known, those of native delayed delivery, and what is handed out.

    Args:
        connection: Kombu's, of an AMQP transport.
        queues: those that are known from elsewhere.
    """
    known = sorted({*queues, *DELAYED})
    places = [_ready(connection, queue) for queue in known]
    doubt = "RabbitMQ does not say what it has handed out, nor which other queues there are"
    return [*places, Place(place="unacked", doubt=doubt)]


def _ready(connection: Any, queue: str) -> Place:
    place, doubt = f"queue {queue}", ""
    # Each has a channel of its own: the broker closes it when there is no such queue.
    channel = connection.channel()
    try:
        ready = channel.queue_declare(queue, passive=True).message_count
        if ready:
            doubt = f"{ready} messages are ready and cannot be read without taking them out"
    except connection.channel_errors as exc:
        if exc.reply_code != MISSING:
            doubt = f"cannot be asked: {exc}"
    finally:
        channel.close()
    return Place(place=place, doubt=doubt)
