"""How is an edge put together? Here, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.sdk.readiness import Mode
from flagstaff.server.access import Admitting
from flagstaff.server.edge.clients import Clients
from flagstaff.server.edge.following import Follower
from flagstaff.server.edge.forwarding import Forwarder
from flagstaff.server.edge.places import Served
from flagstaff.server.edge.readiness import Readiness
from flagstaff.server.edge.remembered import Remembered
from flagstaff.server.edge.routes import Reads
from flagstaff.server.edge.settings import EdgeSettings, check_edge
from flagstaff.server.failures import response_for
from flagstaff.server.front.front import Front
from flagstaff.server.front.guarding import Rules
from flagstaff.server.front.health import Measured
from flagstaff.server.front.limits import Limits
from flagstaff.server.front.metrics import Metrics
from flagstaff.server.front.ways import Ways
from flagstaff.server.lock import FileLock
from flagstaff.server.places import Places
from flagstaff.server.streams.hub import Hub

log = logging.getLogger(__name__)

FIRST_WAIT = 5.0
"""Seconds that a new edge waits for its first flags before it begins to answer."""

CLOSE_TIMEOUT = 2.0
NOTE_EVERY = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Everything that belongs to one running edge.

    Whoever serves another protocol needs no more than `hub`, `places` and `access`.
    """

    settings: EdgeSettings
    asgi: ASGIApp
    hub: Hub
    places: Places
    access: Admitting
    followers: Mapping[str, Follower]
    forwarder: Forwarder
    closing: contextlib.ExitStack = field(repr=False)

    def start(self) -> None:
        """Begin to follow and to forward; wait a little for what there was never anything of."""
        for each in self.followers.values():
            each.start()
            self.closing.callback(each.close, CLOSE_TIMEOUT)
        until = time.monotonic() + FIRST_WAIT
        for each in self.followers.values():
            each.wait(max(0.0, until - time.monotonic()))
        self.forwarder.start()
        self.closing.callback(self.forwarder.close, CLOSE_TIMEOUT)

    def remarks(self) -> tuple[str, ...]:
        """Return what whoever starts it should know."""
        found = []
        for each in (follower.standing() for follower in self.followers.values()):
            why = each.problem or "the control plane has not answered yet"
            if each.version is None:
                found.append(f"there are no flags of {each.environment} yet: {why}")
            elif each.mode is Mode.STALE:
                found.append(
                    f"{each.environment} is served as it was kept on disk, at version "
                    f"{each.version}: {why}"
                )
        return tuple(found)

    def close(self) -> None:
        """End the streams, follow no more, and send what applications reported."""
        self.hub.close()
        self.closing.close()


def build_edge(settings: EdgeSettings) -> Edge:
    """Put an edge together; it follows nothing before `start`.

    Raises:
        FlagstaffError: a setting or the folder does not allow it.
    """
    token = check_edge(settings)
    with contextlib.ExitStack() as closing:
        folder = settings.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / ".gitignore").write_text("*\n")
            closing.callback(FileLock(folder / "edge.lock").release)
            remembered = Remembered(folder)
        except OSError as exc:
            raise Unavailable(
                f"{folder} cannot be written: {exc.strerror}",
                hint="the edge keeps the last good flags there; name another with --folder",
            ) from exc
        followers: dict[str, Follower] = {}
        metrics = Metrics()
        hub = Hub(lambda environment: followers[environment].encoded(), metrics.spread)
        metrics.watch(hub, {})
        followers |= {
            name: Follower(settings.address(name), folder, hub.tell) for name in settings.names
        }
        places = Served(followers)
        access = Clients(followers, remembered, token)
        forwarder = Forwarder(settings.address(settings.names[0]))
        reads = Reads(
            places=places,
            hub=hub,
            access=access,
            reports=forwarder,
            upstream=settings.upstream,
            dropped=metrics.dropped,
        )
        compat = reads.compat(public=settings.public)
        readiness = Readiness(
            followers=followers, forwarder=forwarder, max_stale=settings.max_stale
        )
        measured = Measured(access=access, metrics=metrics, local=settings.local)
        reading = Starlette(
            routes=[
                Route("/healthz", lambda _: JSONResponse({"ok": True})),
                Route("/readyz", readiness.answer),
                Route("/metrics", measured.show),
                *compat.routes,
            ],
            exception_handlers={FlagstaffError: _failed},
            lifespan=_lifespan(hub, followers),
        )
        front = Front(
            reading,
            rules=Rules(frozenset(filter(None, (settings.public_host,))), secure=settings.secure),
            limits=Limits(settings),
            metrics=metrics,
            ways=Ways(compat.ways),
        )
        return Edge(
            settings=settings,
            asgi=front,
            hub=hub,
            places=places,
            access=access,
            followers=followers,
            forwarder=forwarder,
            closing=closing.pop_all(),
        )


def _lifespan(
    hub: Hub, followers: Mapping[str, Follower]
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    async def note() -> None:
        while True:
            await asyncio.sleep(NOTE_EVERY)
            for each in followers.values():
                await run_sync(each.note_contact)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        hub.open()
        noting = asyncio.ensure_future(note())
        try:
            yield
        finally:
            noting.cancel()
            hub.close()

    return lifespan


def _failed(_: object, error: Exception) -> JSONResponse:
    if not isinstance(error, FlagstaffError):
        raise error
    return response_for(error)
