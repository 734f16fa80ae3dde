"""Who answers for a worker that was told to end, while it still runs what it has begun?

Celery stops listening to questions then, and may go on for hours. What it runs is acknowledged
already in most applications, so no broker has it, and it may publish its old name once more: to
try again, or to follow. So a thread of ours listens until the last job is over, under a name of its
own: another worker may have begun under the old one.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from celery import bootsteps, signals
from celery.utils.collections import AttributeDict
from celery.worker.control import Panel

from flagstaff.workers.asking import ENDING
from flagstaff.workers.remote import COMMAND

log = logging.getLogger("flagstaff")

PAUSE = 1.0
"""Seconds for which one waits for a question, and until a broker is tried again that is away."""

ANSWERED = ("ping", "registered", "scheduled", "reserved", "active", COMMAND)
"""What is answered as the worker itself would; all else is its business no more."""


class Ending(bootsteps.StartStopStep):  # type: ignore[misc] # Celery has no types
    """Begins to answer after the consumer has stopped, and before the pool is waited for."""

    requires = ("celery.worker.components:Pool",)

    def stop(self, worker: Any) -> None:
        """Begin to answer."""
        if worker.app.conf.worker_enable_remote_control:
            listener = _Listener(worker.consumer)
            signals.worker_shutdown.connect(listener.close, weak=False)
            threading.Thread(target=listener.run, name="flagstaff-ending", daemon=True).start()


class _Listener:
    """Answers for the consumer of a worker that ends."""

    def __init__(self, consumer: Any) -> None:
        self._app, self._over = consumer.app, threading.Event()
        name, _, host = str(consumer.hostname).partition("@")
        state = AttributeDict(
            app=self._app, hostname=consumer.hostname, consumer=consumer, tset=set
        )
        handlers = {each: Panel.data[each] for each in ANSWERED if each in Panel.data}
        handlers["active_queues"] = _takes_none
        self._node = self._app.control.mailbox.Node(
            f"{name}{ENDING}{os.getpid()}@{host}", handlers=handlers, state=state
        )

    def close(self, **_: object) -> None:
        """End: the last job is over."""
        self._over.set()

    def run(self) -> None:
        """Answer until closed."""
        while not self._over.is_set():
            try:
                with self._app.connection_for_read() as connection:
                    self._node.channel = connection.channel()
                    self._node.listen(callback=self._hear)
                    self._drain(connection)
            except Exception as exc:  # noqa: BLE001 - each broker has errors of its own
                log.debug("nobody answers for this worker now: %s", exc)
                self._over.wait(PAUSE)

    def _drain(self, connection: Any) -> None:
        while not self._over.is_set():
            try:
                connection.drain_events(timeout=PAUSE)
            except TimeoutError:
                continue

    def _hear(self, body: Any, message: Any) -> None:
        if isinstance(body, dict) and body.get("method") in self._node.handlers:
            self._node.handle_message(body, message)


def _takes_none(_state: Any, **_: object) -> list[Any]:
    return []
