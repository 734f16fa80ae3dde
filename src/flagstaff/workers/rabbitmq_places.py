"""What do the queues of a RabbitMQ broker hold, and who has what it has handed out?

Without its management, queues that are known are counted and nothing is read. With it, every queue
is known; what is ready is taken, read and given back, which leaves it in its place and order, with
the mark that it was handed out before.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flagstaff.workers.messages import NOTHING, Holds, in_message
from flagstaff.workers.places import Place
from flagstaff.workers.rabbitmq_management import LATE, Management, Queue, Report

DELAYED = tuple(f"celery_delayed_{level}" for level in range(28))
"""Where Celery's native delayed delivery keeps jobs that are due later, unless told a prefix."""

_DELAYED = re.compile(r"(?:.*_)?celery_delayed_\d+")

MISSING = 404

MOST = 2_000
"""Messages of a queue that are read: workers do not get them meanwhile."""

AGAIN = 0.5
"""Seconds until what is handed out is asked again."""


def counted_places(connection: Any, queues: Iterable[str]) -> list[Place]:
    """Return the queues that are known, those of native delayed delivery, and what is handed out.

    Args:
        connection: Kombu's, of an AMQP transport.
        queues: those that are known from elsewhere.
    """
    places = []
    for queue in sorted({*queues, *DELAYED}):
        ready, doubt = count(connection, queue)
        if ready:
            doubt = f"{ready} messages are ready and are not read without --management"
        places.append(Place(place=f"queue {queue}", doubt=doubt))
    doubt = (
        "RabbitMQ does not say what it has handed out, nor which other queues there are: "
        "give --management URL"
    )
    return [*places, Place(place="unacked", doubt=doubt)]


def read_places(connection: Any, name: str, report: Report, queues: Iterable[str]) -> list[Place]:
    """Return every queue, and how many of its ready messages hold the name.

    Args:
        connection: Kombu's, of an AMQP transport.
        name: that is looked for.
        report: of the management.
        queues: those that are known from elsewhere.
    """
    there = {each.name: each for each in report.queues}
    return [
        _read_place(connection, queue, there.get(queue), name)
        for queue in sorted({*queues, *there.keys()})
    ]


def handed_out(
    management: Management,
    takers: Callable[[], Mapping[str, int]],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Place:
    """Return whether workers that answer have everything that was handed out: they know its names.

    The figures are late, so a doubt is one only when it has held for as long as they may be.

    Args:
        management: of the broker.
        takers: returns how many workers that answer take jobs from each queue.
        clock: and `sleep`, for tests.
        sleep: waits so many seconds.
    """
    began = clock()
    while True:
        doubt = _unaccounted(management.report(), takers())
        if not doubt or clock() - began > LATE:
            return Place(place="unacked", doubt=doubt)
        sleep(AGAIN)


def _unaccounted(report: Report, takers: Mapping[str, int]) -> str:
    silent = [each.name for each in report.queues if each.unacked is None]
    if silent:
        return f"RabbitMQ has no figures yet of {', '.join(silent)}"
    if not any(each.unacked for each in report.queues):
        return ""
    if report.idle_holders:
        return (
            f"{report.idle_holders} messages are held by somebody who takes no jobs, "
            "such as a worker that is about to end"
        )
    for each in report.queues:
        answer = takers.get(each.name, 0)
        if each.unacked and each.consumers != answer:
            return (
                f"{each.unacked} messages of {each.name} are handed out to {each.consumers} "
                f"consumers, and {answer} workers that take jobs from it answer"
            )
    return ""


def is_delayed(queue: str) -> bool:
    """Say whether jobs are in a queue only until their time comes, which begins anew in each."""
    return _DELAYED.fullmatch(queue) is not None


def count(connection: Any, queue: str) -> tuple[int, str]:
    """Return how many messages are ready, and why that is not known; a missing queue has none."""
    # Each has a channel of its own: the broker closes it when there is no such queue.
    channel = connection.channel()
    try:
        return int(channel.queue_declare(queue, passive=True).message_count), ""
    except connection.channel_errors as exc:
        return 0, "" if exc.reply_code == MISSING else f"cannot be asked: {exc}"
    finally:
        channel.close()


def _read_place(connection: Any, queue: str, known: Queue | None, name: str) -> Place:
    place = f"queue {queue}"
    ready, doubt = count(connection, queue)
    if doubt or not ready:
        return Place(place=place, doubt=doubt)
    if known is None or known.counts_deliveries:
        why = "is not known yet" if known is None else "counts each look as a delivery"
        return Place(place=place, doubt=f"{ready} messages are ready, and the queue {why}")
    try:
        holds, read = _read(connection, queue, min(ready, MOST), name)
    except connection.channel_errors as exc:
        return Place(place=place, doubt=f"{ready} messages are ready and cannot be read: {exc}")
    if ready > MOST:
        doubt = f"{ready - read} of {ready} messages were not read"
    return Place.of(place, holds, exact=read == ready, doubt=doubt)


def _read(connection: Any, queue: str, most: int, name: str) -> tuple[Holds, int]:
    """Take so many messages, read them and give all back together: so they keep their order."""
    holds, read = NOTHING, 0
    channel = connection.channel()
    try:
        while read < most:
            message = channel.basic_get(queue, no_ack=False)
            if message is None:
                break
            read += 1
            holds += in_message(as_mapping(message), name)
        channel.basic_recover(requeue=True)
    finally:
        channel.close()
    return holds, read


def as_mapping(message: Any) -> dict[str, Any]:
    """Return a message as Kombu keeps it in other brokers."""
    properties = message.properties
    return {
        "body": message.body,
        "headers": properties.get("application_headers") or {},
        "content-type": properties.get("content_type"),
        "properties": {},
    }
