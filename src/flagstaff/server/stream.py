"""How do changes reach those who wait for them? Server-sent events, as raw ASGI sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from flagstaff.commands.roles import Role
from flagstaff.errors import FlagstaffError, Refused
from flagstaff.server.access import PERSON, Admitting, check_reading, may_read
from flagstaff.server.encoded import Encoded
from flagstaff.server.failures import response_for
from flagstaff.server.hub import Channel, Hub, Listener
from flagstaff.server.places import Places
from flagstaff.services.person import Person

KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment is sent, so that a dead connection is noticed."""

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
COMMENT = b": keep-alive\n\n"


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
    """Streams an environment's snapshots: the present one first, then each new one."""

    def __init__(self, hub: Hub, access: Admitting, places: Places) -> None:
        self._hub = hub
        self._access = access
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one listener until it leaves."""
        found = await self._access.bearer(Headers(scope=scope))
        if not isinstance(found, Person):
            await found(scope, receive, send)
            return
        environment = scope["path_params"]["environment"]
        try:
            self._places.check_environments((environment,))
            check_reading(found, environment)
            may = partial(may_read, environment=environment)
            with (
                self._hub.follower(environment) as (listener, channel),
                self._access.watched(scope, listener, may),
            ):
                first = await self._hub.latest(channel)
                await serve_frames(_snapshots(listener, channel, first), listener, receive, send)
        except FlagstaffError as exc:
            await response_for(exc)(scope, receive, send)


def _may_hear(by: Person) -> bool:
    return by.may_somewhere(Role.VIEWER)


async def _snapshots(
    listener: Listener, channel: Channel, latest: Encoded
) -> AsyncGenerator[bytes]:
    sent = ""
    while not listener.over:
        if latest.etag != sent:
            sent = latest.etag
            yield _frame(latest)
        elif not await rung(listener):
            yield COMMENT
        latest = channel.latest or latest


async def _names(listener: Listener) -> AsyncGenerator[bytes]:
    yield b"retry: 1000\nevent: connected\ndata: now\n\n"
    while not listener.over:
        if not await rung(listener):
            yield COMMENT
            continue
        names, listener.names = listener.names, set()
        if names:
            yield b"".join(f"event: changed\ndata: {name}\n\n".encode() for name in sorted(names))


def _frame(snapshot: Encoded) -> bytes:
    return b"id: %d\nevent: snapshot\ndata: %s\n\n" % (snapshot.version, snapshot.body)


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
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
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
