"""What does each environment's snapshot answer right now, without asking the database?"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from starlette.requests import HTTPConnection
from starlette.responses import Response

from flagstaff.errors import Unavailable
from flagstaff.flags.actor import Actor
from flagstaff.flags.compile import Compiled, compile_snapshot
from flagstaff.flags.evaluation import Gate
from flagstaff.flags.snapshot import Snapshot, parse_json
from flagstaff.flags.surroundings import Hit, Surroundings
from flagstaff.sdk.murmur import quickest_murmur3
from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.hub import Channel, Hub

PATIENCE = 1.0
"""Seconds that a change may take to arrive before the last good snapshot answers instead, and
after which a database that did not answer is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A snapshot ready to be asked; the tag is the snapshot's.

    Answers need tags of their own, because time and chance change them too.
    """

    etag: str
    compiled: Compiled

    @property
    def snapshot(self) -> Snapshot:
        """Return the snapshot itself."""
        return self.compiled.snapshot


class Holding(Protocol):
    """Something that holds snapshots."""

    async def of(self, environment: str) -> Held:
        """Return the snapshot of the environment.

        Raises:
            Unavailable: there is none.
        """
        ...


class Live:
    """Follows the hub's snapshots and compiles each once; lives in the event loop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: dict[str, _Kept] = {}
        self._surroundings = surroundings()

    async def of(self, environment: str) -> Held:
        """Return the present snapshot, or while the database is away the last good one.

        Raises:
            Unavailable: there has been none yet.
        """
        kept = self._kept.get(environment)
        if kept is None:
            with self._hub.follower(environment) as (_, channel):
                kept = self._kept.setdefault(environment, _Kept(channel))
        encoded = await self._encoded(kept)
        held = kept.held
        if held is None or held.etag != encoded.etag:
            snapshot = Snapshot.from_json(parse_json(encoded.body))
            compiled = compile_snapshot(
                snapshot, self._surroundings, held.compiled if held else None
            )
            kept.held = held = Held(etag=encoded.etag, compiled=compiled)
        return held

    async def _encoded(self, kept: _Kept) -> Encoded:
        channel = kept.channel
        if channel.latest is not None:
            if channel.fresh or time.monotonic() < kept.ask_again_at:
                return channel.latest
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._hub.latest(channel)
            except TimeoutError:
                pass
            if channel.dirty:
                kept.ask_again_at = time.monotonic() + PATIENCE
            return channel.latest
        return await self._first(channel)

    async def _first(self, channel: Channel) -> Encoded:
        try:
            async with asyncio.timeout(PATIENCE * 10):
                return await self._hub.latest(channel)
        except TimeoutError as exc:
            raise Unavailable(
                f"the flags of {channel.environment} cannot be read yet",
                hint="the database does not answer",
            ) from exc


@dataclass(slots=True)
class _Kept:
    channel: Channel
    held: Held | None = None
    ask_again_at: float = field(default=0.0)


def surroundings() -> Surroundings:
    """Return what flags are evaluated in on the server, which knows no groups."""
    return Surroundings(
        counter=_uncounted,
        groups={},
        draw=random.random,
        murmur3=quickest_murmur3(),
        clock=lambda: datetime.now(UTC),
    )


def asked_about(identity: object, attributes: dict[str, object]) -> tuple[Actor, ...]:
    """Return the actors of a question by a client of another protocol: one, or nobody."""
    return (Actor(identity, attributes),) if isinstance(identity, str) and identity else ()


def _uncounted(_flag: str, _value: bool, _gate: Gate) -> Hit:  # noqa: FBT001 a counter's signature
    return _nothing


def _nothing() -> None:
    return None


def tagged_answer(request: HTTPConnection, content: Any) -> Response:
    """Return the content as JSON, or "not modified" to a client that still has the very same.

    The tag is the content's own: an expression over time or a percentage of time answers
    differently while neither the snapshot nor the question changes.
    """
    body = json.dumps(content)
    headers = {"etag": _text_tag(body), "cache-control": "no-cache"}
    if headers["etag"] in known_tags(request):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _text_tag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def known_tags(request: HTTPConnection) -> set[str]:
    """Return the tags of answers that the client still has."""
    listed = request.headers.get("if-none-match", "").split(",")
    return {each.strip().removeprefix("W/") for each in listed}
