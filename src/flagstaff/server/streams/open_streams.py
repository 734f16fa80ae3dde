"""How do streams end whose reader is no longer let in? A stream may be open for months."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from anyio.to_thread import run_sync

from flagstaff.errors import Unavailable
from flagstaff.services.person import Person

LOOK_EVERY = 10.0
"""Seconds after which a reader is looked up again: for what ends by itself, or at another server.
What ends at this server is heard of at once."""


May = Callable[[Person], bool]
"""Returns whether somebody may read a stream."""


class Ending(Protocol):
    """A stream, as far as it can be ended."""

    def end(self) -> None:
        """Let it end."""
        ...


@dataclass(frozen=True, slots=True)
class Pass:
    """What lets a reader in.

    Attributes:
        key: the same for all streams that the same secret has opened.
        look: returns who the reader now is, `None` when they are let in no more; it may block, and
            may raise `Unavailable`.
    """

    key: str
    look: Callable[[], Person | None]


@dataclass(slots=True)
class _Alike:
    """The open streams of one pass."""

    shown: Pass
    streams: dict[Ending, May]


class _Keeping:
    """A block in which an eye is kept on a stream; of ten thousand, each costs a few bytes."""

    __slots__ = ("_alike", "_may", "_open", "_stream")

    def __init__(self, opened: OpenStreams, stream: Ending, alike: _Alike, may: May) -> None:
        self._open, self._stream, self._alike, self._may = opened, stream, alike, may

    def __enter__(self) -> None:
        self._open.add(self._stream, self._alike, self._may)

    def __exit__(self, *_: object) -> None:
        self._open.remove(self._stream, self._alike)


class OpenStreams:
    """Keeps an eye on the readers of open streams; lives in the event loop, except `look`."""

    def __init__(self) -> None:
        self._open: dict[str, _Alike] = {}
        self._bell = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Look all readers up again; safe from any thread."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and with it every stream
                loop.call_soon_threadsafe(self._bell.set)

    def kept(self, stream: Ending, shown: Pass, may: May) -> _Keeping:
        """End the stream when what was shown lets its reader in no more."""
        return _Keeping(self, stream, self._open.setdefault(shown.key, _Alike(shown, {})), may)

    def add(self, stream: Ending, alike: _Alike, may: May) -> None:
        """Begin to keep an eye on a stream."""
        self._open.setdefault(alike.shown.key, alike)
        alike.streams[stream] = may
        if self._looking is None:
            self._loop, self._bell = asyncio.get_running_loop(), asyncio.Event()
            self._looking = asyncio.ensure_future(self._look_again())

    def remove(self, stream: Ending, alike: _Alike) -> None:
        """Forget a stream."""
        del alike.streams[stream]
        if not alike.streams and self._open.get(alike.shown.key) is alike:
            del self._open[alike.shown.key]
        if not self._open and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look_again(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._bell.wait()
            self._bell.clear()
            for alike in tuple(self._open.values()):
                with suppress(Unavailable):  # who was good stays good while the database is away
                    person = await run_sync(alike.shown.look)
                    for stream, may in tuple(alike.streams.items()):
                        if person is None or not may(person):
                            stream.end()
