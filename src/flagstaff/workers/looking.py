"""How many jobs wait in the queues of this worker, of which names, and for how long?

On Redis the oldest messages of each queue are looked at; of all workers that take jobs from it,
one does so at a time. Other brokers say how long a queue is, and show nothing of its messages.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import uuid4

from flagstaff.sdk.background import Background, Stop
from flagstaff.sdk.forking import survive
from flagstaff.workers.headers import published_at

log = logging.getLogger("flagstaff")

EVERY = 1.5
"""Seconds between two looks."""

AT_MOST = 100
"""Messages of a list that are looked at, the oldest."""

LEASE = "flagstaff.looks."


@dataclass(slots=True)
class _Tasks:
    depth: dict[str, int] = field(default_factory=dict)
    oldest: dict[str, float] = field(default_factory=dict)


class Looker:
    """Looks into the queues that a worker takes jobs from, in a thread of its main process."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._name = uuid4().hex
        self._background: Background | None = None
        self._seen: list[dict[str, object]] = []
        survive(self)

    def start(self) -> None:
        """Begin to look."""
        self._background = Background("queues", self._run)
        self._background.start()

    def close(self) -> None:
        """End."""
        if self._background is not None:
            self._background.stop(2.0)
        self._seen = []

    def after_fork(self) -> None:
        """Leave the looking to the parent: a child of a pool does something else."""
        self._background, self._seen = None, []

    def seen(self) -> list[dict[str, object]]:
        """Return what was seen since the last call, in its wire form."""
        found, self._seen = self._seen, []
        return found

    def _run(self, stop: Stop) -> None:
        connection = None
        while not stop.wait(EVERY):
            try:
                connection = connection or self._app.connection_for_read()
                self._look(connection.default_channel)
            except Exception as exc:  # noqa: BLE001 - each broker has errors of its own
                log.debug("the queues could not be looked at: %s", exc)
                if connection is not None:
                    connection.release()
                connection = None
        if connection is not None:
            connection.release()

    def _look(self, channel: Any) -> None:
        queues = list(self._app.amqp.queues.consume_from)
        if hasattr(channel, "_q_for_pri"):
            found = [each for queue in queues for each in self._in_redis(channel, queue)]
        else:
            found = [
                {"queue": queue, "depth": channel.queue_declare(queue, passive=True).message_count}
                for queue in queues
            ]
        self._seen = found

    def _in_redis(self, channel: Any, queue: str) -> Iterator[dict[str, object]]:
        with channel.conn_or_acquire() as client:
            # Somewhat shorter than the pause, so that whoever looked last may look again.
            lease = {"nx": True, "px": int(EVERY * 900)}
            if not client.set(f"{LEASE}{queue}", self._name, **lease):
                return
            found = _lists(client, channel, queue)
        tasks, depth, exact = _Tasks(), sum(found[::2]), max(found[::2]) <= AT_MOST
        for raw in chain(*found[1::2]):
            note(tasks, raw)
        yield {
            "queue": queue,
            "depth": depth,
            "exact": exact,
            "tasks": [
                {"task": task, "depth": number, "oldest_s": tasks.oldest.get(task)}
                for task, number in tasks.depth.items()
            ],
        }


def _lists(client: Any, channel: Any, queue: str) -> list[Any]:
    """Return the length of each list of a queue and its oldest messages, in turns."""
    pipe = client.pipeline(transaction=False)
    for priority in channel.priority_steps:
        key = channel._q_for_pri(queue, priority)  # noqa: SLF001 - the name of a list
        pipe.llen(key)
        # Kombu's client puts its prefix before the keys of those commands that Kombu uses.
        pipe.lrange(f"{channel.global_keyprefix or ''}{key}", -AT_MOST, -1)
    found: list[Any] = pipe.execute()
    return found


def note(tasks: _Tasks, raw: bytes) -> None:
    """Note one message that waits."""
    try:
        headers = json.loads(raw)["headers"]
        task = str(headers["task"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    tasks.depth[task] = tasks.depth.get(task, 0) + 1
    at = published_at(headers)
    if at is not None:
        age = time.time() - max(at, _due(headers))
        if age >= 0:
            tasks.oldest[task] = max(tasks.oldest.get(task, 0.0), round(age, 3))


def _due(headers: dict[str, Any]) -> float:
    try:
        return datetime.fromisoformat(headers["eta"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return 0.0
