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
from time import perf_counter
from typing import Protocol

from anyio.to_thread import run_sync

from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.writing import Listening, Writer
from flagstaff.services.services import EVERYTHING

log = logging.getLogger(__name__)

MOST_NAMES = 500
"""Names a listener may have missed before it is told that everything may have changed."""

AT_A_TIME = 200
"""Subscribers written to before other requests get their turn: one or two milliseconds."""

KEEP_ALIVE = 15.0
"""Seconds between comments that are sent so that a dead connection is noticed."""

Spread = Callable[[str, float], None]

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


class Subscriber(Listening, Protocol):
    """Somebody who is called, in the event loop, and returns at once."""

    def breathe(self) -> None:
        """Show that the connection is alive."""

    def end(self) -> None:
        """Be told that nothing more will come."""


@dataclass(slots=True)
class Channel:
    """The snapshots of one environment: encoded once, however many listen."""

    environment: str
    listeners: set[Listener] = field(default_factory=set)
    subscribers: set[Subscriber] = field(default_factory=set)
    latest: Encoded | None = None
    dirty: bool = True
    changes: int = 0
    renewing: asyncio.Task[None] | None = None
    spread: Encoded | None = None
    spreading: asyncio.Task[None] | None = None

    @property
    def fresh(self) -> bool:
        """Return whether the latest is what stands in the database, as far as anybody knows."""
        return not self.dirty and self.renewing is None


class Hub:
    """Spreads what changed.

    Args:
        read: returns an environment's present snapshot; it may take its time, and may fail with a
            `FlagstaffError`.
        spread: is told of an environment and of the seconds in which a new snapshot of it was
            written to every stream.
    """

    def __init__(self, read: Callable[[str], Encoded], spread: Spread | None = None) -> None:
        self._read = read
        self._told = spread or _unheard
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers: set[Listener] = set()
        self._channels: dict[str, Channel] = {}
        self._closed = False
        self._writer = Writer()
        self._breathing: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to spread in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._breathing = asyncio.ensure_future(self._breathe())

    def close(self) -> None:
        """End every stream; those who come later end at once."""
        self._closed = True
        self._writer.close()
        for listener in self._readers:
            listener.end()
        for channel in self._channels.values():
            for listener in channel.listeners:
                listener.end()
            for subscriber in tuple(channel.subscribers):
                subscriber.end()
        if self._breathing is not None:
            with suppress(RuntimeError):  # its loop is closed
                self._breathing.cancel()

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
        channel = self.channel(environment)
        with self._listening(channel.listeners) as listener:
            yield listener, channel

    def subscribe(self, channel: Channel, subscriber: Subscriber) -> None:
        """Let the subscriber hear the present snapshot and every new one.

        A bell for each of ten thousand would be ten thousand tasks to wake for every change.
        """
        channel.subscribers.add(subscriber)
        if channel.latest is not None:
            subscriber.hear(channel.latest)
        if self._closed:
            subscriber.end()

    def unsubscribe(self, channel: Channel, subscriber: Subscriber) -> None:
        """Let the subscriber hear nothing more."""
        channel.subscribers.discard(subscriber)

    def channel(self, environment: str) -> Channel:
        """Return the channel of an environment."""
        return self._channels.setdefault(environment, Channel(environment))

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return every channel that somebody has asked for."""
        return tuple(self._channels.values())

    @property
    def readers(self) -> int:
        """Return how many hear names."""
        return len(self._readers)

    async def latest(self, channel: Channel) -> Encoded:
        """Return the channel's present snapshot.

        Raises:
            Unavailable: it cannot be read at the moment.
        """
        if channel.latest is None or not channel.fresh:
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
                if channel.listeners or channel.subscribers:
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
                    if channel.spreading is None:
                        channel.spreading = asyncio.ensure_future(self._spread_out(channel))
        except FlagstaffError as exc:
            log.warning("the flags of %s could not be read again: %s", channel.environment, exc)
        finally:
            channel.renewing = None

    async def _spread_out(self, channel: Channel) -> None:
        """Give every subscriber the newest snapshot, until there was no newer one meanwhile."""
        try:
            while (latest := channel.latest) is not None and latest is not channel.spread:
                began = perf_counter()
                for some in _portions(channel):
                    latest = channel.latest or latest
                    self._writer.spread(some, latest)
                    await asyncio.sleep(0)
                channel.spread = latest
                self._told(channel.environment, perf_counter() - began)
        finally:
            channel.spreading = None

    async def _breathe(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE)
            for channel in self.channels:
                for some in _portions(channel):
                    for subscriber in some:
                        subscriber.breathe()
                    await asyncio.sleep(0)


def _portions(channel: Channel) -> Iterator[tuple[Subscriber, ...]]:
    present = tuple(channel.subscribers)
    for start in range(0, len(present), AT_A_TIME):
        yield present[start : start + AT_A_TIME]


def _unheard(_environment: str, _seconds: float) -> None:
    return None
