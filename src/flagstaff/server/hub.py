"""Who wants to hear of changes, and what is the latest for each of them?

Everything here runs in the event loop except `tell`, which any thread may call. Nothing queues up:
a listener that reads slowly finds the latest state, not every state in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from anyio.to_thread import run_sync

from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.server.encoded import Encoded
from flagstaff.services.services import EVERYTHING

log = logging.getLogger(__name__)

MOST_NAMES = 500
"""Names a listener may have missed before it is told that everything may have changed."""

DEFINITIONS = "definitions"
FLAGS = "flags:"


class Listener:
    """One reader of a stream; `bell` rings when there is something, or when it is over."""

    __slots__ = ("bell", "names", "over")

    def __init__(self) -> None:
        self.bell = asyncio.Event()
        self.names: set[str] = set()
        self.over = False

    def end(self) -> None:
        """Let the stream end."""
        self.over = True
        self.bell.set()


@dataclass(slots=True)
class Channel:
    """The snapshots of one environment: encoded once, however many listen."""

    environment: str
    listeners: set[Listener] = field(default_factory=set)
    latest: Encoded | None = None
    dirty: bool = True
    changes: int = 0
    renewing: asyncio.Task[None] | None = None


class Hub:
    """Spreads what changed.

    Args:
        read: returns an environment's present snapshot; it may take its time, and may fail with a
            `FlagstaffError`.
    """

    def __init__(self, read: Callable[[str], Encoded]) -> None:
        self._read = read
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers: set[Listener] = set()
        self._channels: dict[str, Channel] = {}
        self._closed = False

    def open(self) -> None:
        """Begin to spread in the running event loop."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End every stream; those who come later end at once."""
        self._closed = True
        for listener in self._readers:
            listener.end()
        for channel in self._channels.values():
            for listener in channel.listeners:
                listener.end()

    def tell(self, names: frozenset[str]) -> None:
        """Take in the names of what changed; safe from any thread."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and nobody listens any more
                loop.call_soon_threadsafe(self._spread, names)

    @contextmanager
    def reader(self) -> Iterator[Listener]:
        """Listen to names until the block is left."""
        with self._listening(self._readers) as listener:
            yield listener

    @contextmanager
    def follower(self, environment: str) -> Iterator[tuple[Listener, Channel]]:
        """Listen to the snapshots of one environment until the block is left."""
        channel = self._channels.setdefault(environment, Channel(environment))
        with self._listening(channel.listeners) as listener:
            yield listener, channel

    async def latest(self, channel: Channel) -> Encoded:
        """Return the channel's present snapshot.

        Raises:
            Unavailable: it cannot be read at the moment.
        """
        if channel.latest is None or channel.dirty:
            await asyncio.shield(self._renew(channel))
        if channel.latest is None:
            raise Unavailable(
                f"the flags of {channel.environment} cannot be read at the moment",
                hint="the server's log says why",
            )
        return channel.latest

    @contextmanager
    def _listening(self, listeners: set[Listener]) -> Iterator[Listener]:
        listener = Listener()
        listeners.add(listener)
        if self._closed:
            listener.end()
        try:
            yield listener
        finally:
            listeners.discard(listener)

    def _spread(self, names: frozenset[str]) -> None:
        for listener in self._readers:
            listener.names |= names
            if len(listener.names) > MOST_NAMES:
                listener.names = {EVERYTHING}
            listener.bell.set()
        for channel in self._channels.values():
            if names & {EVERYTHING, DEFINITIONS, FLAGS + channel.environment}:
                channel.dirty = True
                channel.changes += 1
                if channel.listeners:
                    self._renew(channel)

    def _renew(self, channel: Channel) -> asyncio.Task[None]:
        if channel.renewing is None:
            channel.renewing = asyncio.ensure_future(self._renewed(channel))
        return channel.renewing

    async def _renewed(self, channel: Channel) -> None:
        try:
            while channel.dirty:
                before = channel.changes
                found = await run_sync(self._read, channel.environment)
                channel.dirty = channel.changes != before
                if channel.latest is None or channel.latest.etag != found.etag:
                    channel.latest = found
                    for listener in channel.listeners:
                        listener.bell.set()
        except FlagstaffError as exc:
            log.warning("the flags of %s could not be read again: %s", channel.environment, exc)
        finally:
            channel.renewing = None
