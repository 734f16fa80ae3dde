"""Does the server live, may it be sent requests, and what has it counted?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from flagstaff.errors import FlagstaffError
from flagstaff.server.access import Admitting
from flagstaff.server.failures import problem, response_for
from flagstaff.server.front.metrics import CONTENT_TYPE, Metrics
from flagstaff.server.settings import is_loopback_host
from flagstaff.services.person import Person

LONGEST = 2.0
"""Seconds that the database has to answer in."""


@dataclass(slots=True)
class Draining:
    """Whether the server is about to end."""

    yes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was counted, for this machine where nobody else comes, else for whoever has a token.

    Args:
        local: whether only this machine's own users can reach the server.
    """

    access: Admitting
    metrics: Metrics
    local: bool

    async def show(self, request: Request) -> Response:
        """Show the metrics."""
        peer = request.client.host if request.client else ""
        if not (self.local and is_loopback_host(peer)):
            found = await self.access.bearer(Headers(scope=request.scope))
            if not isinstance(found, Person):
                return found
        text = await run_sync(self.metrics.text)
        return Response(text, headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The addresses for those who watch over servers.

    Args:
        ask: asks the database something; fails when it does not answer.
        draining: whether new requests should go elsewhere.
    """

    ask: Callable[[], object]
    draining: Draining
    measured: Measured

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            Route("/healthz", self.alive),
            Route("/readyz", self.ready),
            Route("/metrics", self.measured.show),
        ]

    async def alive(self, _: Request) -> Response:
        """Say that the process works; whether the database does is no reason to restart it."""
        return JSONResponse({"ok": True})

    async def ready(self, _: Request) -> Response:
        """Say whether requests may come here."""
        if self.draining.yes:
            return problem(503, "the server is about to end", code="draining")
        try:
            async with asyncio.timeout(LONGEST):
                await run_sync(self.ask, abandon_on_cancel=True)
        except FlagstaffError as exc:
            return response_for(exc)
        except TimeoutError:
            return problem(503, "the database does not answer", code="unavailable")
        return JSONResponse({"ok": True})
