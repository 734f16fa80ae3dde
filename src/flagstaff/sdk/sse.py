"""Which events does a stream of server-sent bytes contain?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flagstaff.errors import SnapshotError

LIMIT = 64 * 1024 * 1024
"""Bytes of one event; more is no snapshot but a server gone wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of the stream; a comment is an event of kind `comment`."""

    kind: str
    data: str
    id: str = ""


class Parser:
    """Cuts bytes, which arrive in pieces of any size, into events.

    Attributes:
        retry: seconds after which the server wants its clients back.
    """

    def __init__(self) -> None:
        self.retry = 0.0
        self._rest = b""
        self._size = 0
        self._kind, self._id = "", ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield the events that `piece` completes.

        Raises:
            SnapshotError: an event is larger than 64 MiB or is not UTF-8.
        """
        self._size += len(piece)
        if self._size > LIMIT:
            raise SnapshotError("the stream's event is larger than 64 MiB")
        lines = (self._rest + piece).splitlines(keepends=True)
        # A last \r may be half of \r\n, so it waits for the next piece.
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            event = self._line(line.rstrip(b"\r\n"))
            if event is not None:
                self._size = len(self._rest)
                yield event

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._complete()
        name, _, raw = line.partition(b":")
        try:
            value = raw.removeprefix(b" ").decode()
        except UnicodeDecodeError as exc:
            raise SnapshotError("the stream is not UTF-8") from exc
        match name:
            case b"":
                return Event(kind="comment", data=value)
            case b"event":
                self._kind = value
            case b"data":
                self._data.append(value)
            case b"id":
                self._id = value
            case b"retry" if value.isascii() and value.isdecimal():
                self.retry = int(value[:9]) / 1000
        return None

    def _complete(self) -> Event | None:
        kind, data = self._kind or "message", self._data
        self._kind, self._data = "", []
        return Event(kind=kind, data="\n".join(data), id=self._id) if data else None
