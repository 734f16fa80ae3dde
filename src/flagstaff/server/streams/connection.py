"""How is something written to a connection at once, and how is one cut off that takes nothing?

ASGI itself knows only writing that may wait, and endings that wait until everything was taken.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from flagstaff.server.streams.reader import CONNECTION, Stream
from flagstaff.server.streams.writing import write


class Connection(HttpToolsProtocol):
    """A connection that can be reached from the state of every request."""

    __slots__ = ("stream",)  # one more key would make each connection's dictionary its own

    stream: Stream | None
    fileno = -1

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        super().connection_made(transport)
        self.stream = None
        if transport.get_extra_info("sslcontext") is None:
            self.fileno = transport.get_extra_info("socket").fileno()
        self.app_state = {**self.app_state, CONNECTION: self}

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection; its descriptor may be another's the next moment."""
        self.fileno = -1
        if self.stream is not None:
            self.stream.fileno = -1
        self.app_state = {}
        super().connection_lost(exc)

    def settle(self, stream: Stream) -> None:
        """Serve this stream until the end, and keep no more than it needs.

        Three empty queues are a fifth of its memory.
        """
        self.stream = stream
        if self.pipeline:
            return
        self.pipeline = _Few()  # type: ignore[assignment]
        self.flow = self.cycle.flow = _Flow(self.transport, self.flow)
        before, self.cycle.message_event = self.cycle.message_event, _Bell()
        if before.is_set():
            self.cycle.message_event.set()

    def writable(self) -> int:
        """Return the descriptor that may be written to at once, or -1 if others come first."""
        transport = self.transport
        if transport.is_closing() or self.flow.write_paused or transport.get_write_buffer_size():
            return -1
        return self.fileno

    def push(self, data: bytes) -> bool:
        """Write a piece of the body of a response in chunks; return whether that was possible.

        The operating system takes it at once nearly always, for half the price of handing it to
        the event loop first.
        """
        if (fileno := self.writable()) >= 0:
            self.took(data, write(fileno, data))
        elif self.transport.is_closing():
            return True
        elif self.flow.write_paused:
            return False
        else:
            self.transport.write(data)
        return True

    def took(self, data: bytes, count: int) -> None:
        """Be told how many bytes were written there, or -1 if it is broken."""
        if count < 0:
            self.transport.abort()
        elif count < len(data):
            self.transport.write(data[count:])

    def abort(self) -> None:
        """Close the connection, whatever it has not taken yet."""
        self.transport.abort()


class _Few(list):  # type: ignore[type-arg]
    """The requests that wait behind a stream: none, unless a client is wrong."""

    def appendleft(self, value: object) -> None:
        """Add one at the beginning."""
        self.insert(0, value)


class _Flow(FlowControl):
    """A flow that has an event only while somebody may wait for it."""

    def __init__(self, transport: asyncio.Transport, before: FlowControl) -> None:
        self._transport = transport
        self.read_paused = before.read_paused
        self.write_paused = False
        self._event: asyncio.Event | None = None
        if before.write_paused:
            self.pause_writing()

    async def drain(self) -> None:
        """Wait until the connection takes something again."""
        if self._event is not None:
            await self._event.wait()

    def pause_writing(self) -> None:
        """Be told that the connection takes nothing at the moment."""
        if not self.write_paused:
            self.write_paused = True
            self._event = asyncio.Event()

    def resume_writing(self) -> None:
        """Be told that it does again."""
        self.write_paused = False
        if self._event is not None:
            self._event.set()
            self._event = None


class _Bell(asyncio.Event):
    """An event for the one task that waits for a connection to end."""

    __slots__ = ("_rung", "_waiter")

    def __init__(self) -> None:
        self._rung = False
        self._waiter: asyncio.Future[None] | None = None

    def is_set(self) -> bool:
        """Return whether it was rung."""
        return self._rung

    def set(self) -> None:
        """Ring."""
        self._rung = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        """Be silent again."""
        self._rung = False

    async def wait(self) -> Literal[True]:
        """Wait until it rings."""
        if not self._rung:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return True
