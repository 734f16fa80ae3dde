"""How do changes reach those who wait for them? Server-sent events, as raw ASGI sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from flagstaff.commands.roles import Role
from flagstaff.errors import FlagstaffError, Refused
from flagstaff.server.access import PERSON, Admitting, check_reading, may_read
from flagstaff.server.failures import response_for
from flagstaff.server.places import Places
from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.hub import KEEP_ALIVE, Hub, Listener
from flagstaff.server.streams.open_streams import May
from flagstaff.server.streams.reader import (
    COMMENT,
    HEADERS,
    Frames,
    reader_of,
    retry,
    serve_reader,
)
from flagstaff.services.person import Person

CHANGES = "x-flagstaff-changes"
"""The header with which a client says `1` when it understands changes."""


class Names:
    """Streams the names of what changed, nothing more: listeners fetch what they show."""

    def __init__(self, hub: Hub, access: Admitting) -> None:
        self._hub = hub
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one listener until it leaves."""
        found = scope.get(PERSON) or await self._access.bearer(Headers(scope=scope))
        if not isinstance(found, Person):
            await found(scope, receive, send)
            return
        if not _may_hear(found):
            await response_for(Refused("only viewers hear what changes"))(scope, receive, send)
            return
        with self._hub.reader() as listener, self._access.watched(scope, listener, _may_hear):
            await serve_frames(_names(listener), listener, receive, send)


class Snapshots:
    """Streams an environment's snapshots: the present one first, then each new one.

    Those who say that they understand changes are sent what changed since the snapshot that they
    have, unless the whole is shorter; everybody else, and who fell behind, the whole.
    """

    def __init__(
        self, hub: Hub, access: Admitting, places: Places, dropped: Callable[[], None]
    ) -> None:
        self._hub = hub
        self._access = access
        self._places = places
        self._dropped = dropped
        self._wholes: dict[str, Frames] = {}
        self._changes: dict[str, Frames] = {}
        self._may: dict[str, May] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one listener until it leaves."""
        headers = Headers(scope=scope)
        found = await self._access.bearer(headers)
        if not isinstance(found, Person):
            await found(scope, receive, send)
            return
        environment = scope["path_params"]["environment"]
        try:
            self._places.check_environments((environment,))
            check_reading(found, environment)
            channel = self._hub.channel(environment)
            await self._hub.latest(channel)
        except FlagstaffError as exc:
            await response_for(exc)(scope, receive, send)
            return
        if headers.get(CHANGES) == "1":
            frames = self._changes.setdefault(environment, Frames(_change))
        else:
            frames = self._wholes.setdefault(environment, Frames(_whole))
        reader = reader_of(scope, send, frames, self._dropped)
        may = self._may.setdefault(environment, partial(may_read, environment=environment))
        with self._access.watched(scope, reader, may):
            await serve_reader(reader, self._hub, channel, receive)


def _may_hear(by: Person) -> bool:
    return by.may_somewhere(Role.VIEWER)


def _whole(_: Encoded | None, latest: Encoded) -> bytes:
    return b"id: %d\nevent: snapshot\ndata: %s\n\n" % (latest.version, latest.body)


def _change(had: Encoded | None, latest: Encoded) -> bytes:
    change = latest.change_since(had) if had else b""
    if not change:
        return _whole(had, latest)
    return b"id: %d\nevent: change\ndata: %s\n\n" % (latest.version, change)


async def _names(listener: Listener) -> AsyncGenerator[bytes]:
    yield b"retry: %d\nevent: connected\ndata: now\n\n" % retry()
    while not listener.over:
        if not await rung(listener):
            yield COMMENT
            continue
        names, listener.names = listener.names, set()
        if names:
            yield b"".join(f"event: changed\ndata: {name}\n\n".encode() for name in sorted(names))


async def rung(listener: Listener) -> bool:
    """Wait for the bell; return whether it rang before it was time for a comment."""
    try:
        async with asyncio.timeout(KEEP_ALIVE):
            await listener.bell.wait()
    except TimeoutError:
        return False
    listener.bell.clear()
    return True


async def serve_frames(
    frames: AsyncGenerator[bytes], listener: Listener, receive: Receive, send: Send
) -> None:
    """Send the frames of a stream until there are no more, or its reader leaves."""
    leaving = asyncio.ensure_future(_until_gone(receive, listener))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        async with aclosing(frames):
            async for frame in frames:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        leaving.cancel()


async def _until_gone(receive: Receive, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end()
