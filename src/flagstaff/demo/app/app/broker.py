"""Where do jobs wait when there is no broker to talk to?

In files: one folder per queue, one file per message. A message is written under another name
and renamed when complete, so a worker never reads half of one; a worker takes a message by
renaming it, so no two workers get the same.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from queue import Empty

from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.utils.json import dumps, loads

POLLING_INTERVAL_SECONDS = 0.02


class Channel(virtual.Channel):
    """Messages in the folder that the path of `spool://` names."""

    def _folder(self, queue: str) -> Path:
        folder = Path("/", self.connection.client.virtual_host, queue)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _messages(self, queue: str) -> list[Path]:
        return sorted(self._folder(queue).glob("*.msg"))

    def _put(self, queue: str, message: dict, **_options: object) -> None:
        path = self._folder(queue) / f"{time.time_ns():020}-{uuid.uuid4().hex}.msg"
        unfinished = path.with_suffix(".part")
        unfinished.write_text(dumps(message), encoding="utf-8")
        os.replace(unfinished, path)

    def _get(self, queue: str, timeout: float | None = None) -> dict:
        for path in self._messages(queue):
            taken = path.with_suffix(".taken")
            try:
                path.rename(taken)
            except FileNotFoundError:
                continue
            message = loads(taken.read_text(encoding="utf-8"))
            taken.unlink()
            return message
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._messages(queue))

    def _purge(self, queue: str) -> int:
        messages = self._messages(queue)
        for path in messages:
            path.unlink(missing_ok=True)
        return len(messages)


class Transport(virtual.Transport):
    """The `spool://` scheme."""

    Channel = Channel
    global_state = virtual.BrokerState()
    polling_interval = POLLING_INTERVAL_SECONDS
    driver_type = driver_name = "spool"

    def __init__(self, client: object, **options: object) -> None:
        super().__init__(client, **options)
        self.state = self.global_state

    def drain_events(self, connection: object, timeout: float | None = None) -> None:
        # A worker looks for signals between two calls; the two seconds it asks for make it
        # slow to stop while nothing is to be done.
        super().drain_events(connection, timeout=timeout and min(timeout, 0.2))

    def driver_version(self) -> str:
        return "1"


TRANSPORT_ALIASES["spool"] = f"{__name__}:Transport"
