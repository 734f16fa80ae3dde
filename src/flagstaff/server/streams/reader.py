"""How is something sent to one of ten thousand connections without ever waiting for it?

A server's `send` waits only while what was sent before has not been taken. So it is begun and not
awaited: either it is done at once, or the reader is slow. What a slow reader misses is never kept
for it. When it reads again it is sent the latest as a whole, and one that does not for `SLOWEST`
seconds is cut off, and will ask anew.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import Message, Receive, Scope, Send

from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.hub import Channel, Hub

log = logging.getLogger(__name__)

SLOWEST = 30.0
"""Seconds without reading after which a connection is cut off."""

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
COMMENT = b": keep-alive\n\n"
CONNECTION = "flagstaff.connection"
"""Where our own server leaves the connection itself, in the state of a request's scope."""

Write = Callable[[Encoded | None, Encoded], bytes]
"""Returns the text with which one who has the first, or nothing, gets the second."""


class Stream(Protocol):
    """What is written to a connection from now on."""

    fileno: int


class Pushing(Protocol):
    """A connection that can be written to without ASGI."""

    def push(self, data: bytes) -> bool:
        """Write to the body of a response in chunks; return whether that was possible."""

    def writable(self) -> int:
        """Return the descriptor that may be written to at once, or -1 if others come first."""

    def took(self, data: bytes, count: int) -> None:
        """Be told how many bytes were written there, or -1 if it is broken."""

    def settle(self, stream: Stream) -> None:
        """Be told of the stream on it, which may be one of many."""

    def abort(self) -> None:
        """Close it, whatever it has not taken yet."""


class Frame:
    """A piece of a stream, made once for all who need it."""

    __slots__ = ("chunk", "message")

    def __init__(self, text: bytes, *, more: bool = True) -> None:
        self.message: Message = {"type": "http.response.body", "body": text, "more_body": more}
        self.chunk = b"%x\r\n%s\r\n" % (len(text), text)


class Frames:
    """The frames of one kind of stream."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._latest: Encoded | None = None
        self._made: dict[str, Frame] = {}

    def __call__(self, had: Encoded | None, latest: Encoded) -> Frame:
        """Return what brings a reader from one snapshot to another."""
        if latest is not self._latest:
            self._latest, self._made = latest, {}
        key = had.etag if had else ""
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = Frame(self._write(had, latest))
        return made


@dataclass(slots=True, eq=False)
class Reader:
    """One connection of those that hear snapshots.

    Args:
        connection: `None` if the server is not ours: then everything goes through `send`.
        dropped: called when the reader is cut off because it does not read.
        fileno: where anything may be written at once, and -1 while something else comes first.
    """

    frames: Frames
    send: Send
    connection: Pushing | None
    dropped: Callable[[], None]
    had: Encoded | None = None
    fileno: int = -1
    over: bool = False
    waiting: asyncio.Task[None] | None = None
    wanted: Encoded | None = field(default=None, repr=False)

    def hear(self, latest: Encoded) -> None:
        """Send the latest, if it is not known and the connection takes it."""
        had = self.had
        if self.over or had is latest or (had is not None and had.etag == latest.etag):
            return
        if self.waiting is not None:
            self.wanted = latest
        elif self._written(self.frames(had, latest)):
            self.had = latest
        else:
            self._fall_behind(latest)

    def took(self, data: bytes, count: int) -> None:
        """Be told how many bytes of a piece were written to `fileno`, or -1 if it is broken."""
        if self.connection is not None:
            self.connection.took(data, count)
            self.fileno = self.connection.writable()

    def breathe(self) -> None:
        """Send a comment."""
        if not self.over and self.waiting is None and not self._written(_COMMENT):
            self._fall_behind(self.had)

    def end(self) -> None:
        """End the stream; one that cannot take the end is cut off."""
        if self.over:
            return
        self._finish()
        if self.waiting is not None or not self._begun(_END):
            self.cut_off()

    def cut_off(self) -> None:
        """Close the connection without waiting for what it has not taken."""
        self._finish()
        if self.connection is not None:
            self.connection.abort()

    def leave(self) -> None:
        """Forget a connection that is gone."""
        self._finish()
        if self.waiting is not None:
            self.waiting.cancel()

    def _finish(self) -> None:
        self.over = True
        self.fileno = -1

    def _written(self, frame: Frame) -> bool:
        if self.connection is None:
            return self._begun(frame)
        taken = self.connection.push(frame.chunk)
        self.fileno = self.connection.writable()
        return taken

    def _begun(self, frame: Frame) -> bool:
        """Begin to send, and return whether that was all."""
        sending = self.send(frame.message).__await__()
        try:
            next(sending)
        except StopIteration:
            return True
        except Exception:
            log.exception("a stream broke")
            self.cut_off()
            return True
        sending.close()
        return False

    def _fall_behind(self, wanted: Encoded | None) -> None:
        self.wanted = wanted
        self.waiting = asyncio.ensure_future(self._catch_up())

    async def _catch_up(self) -> None:
        """Wait until the connection takes something again, and send the latest as a whole."""
        try:
            async with asyncio.timeout(SLOWEST):
                await self.send(_NOTHING.message)
        except TimeoutError:
            self.dropped()
            self.cut_off()
            return
        finally:
            self.waiting = None
        latest, self.wanted = self.wanted, None
        if latest is not None and latest is not self.had:
            self.had = None
            self.hear(latest)


async def serve_reader(reader: Reader, hub: Hub, channel: Channel, receive: Receive) -> None:
    """Send a channel's snapshots to a reader until it leaves or the hub closes."""
    await reader.send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await reader.send(Frame(b"retry: %d\n" % retry()).message)
    if reader.connection is not None:
        reader.connection.settle(reader)
    hub.subscribe(channel, reader)
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        hub.unsubscribe(channel, reader)
        reader.leave()


def reader_of(scope: Scope, send: Send, frames: Frames, dropped: Callable[[], None]) -> Reader:
    """Return the reader at the other end of a request."""
    return Reader(frames, send, scope.get("state", {}).get(CONNECTION), dropped)


def retry() -> int:
    """Return milliseconds after which to come back, so that not all come back together."""
    return random.randint(1_000, 3_000)  # noqa: S311 nobody gains by guessing it


_COMMENT = Frame(COMMENT)
_NOTHING = Frame(b"")
_END = Frame(b"", more=False)
