"""What may a CDN keep of the frontend answers of a public edge, and which pages may ask for them?

Only answers to questions are public, never snapshots: those name actors and show every rule.
`docs/decisions/0018-edges.md` says why.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT: Final = "public, max-age=10, stale-while-revalidate=60, stale-if-error=86400"
NOT_KEPT: Final = "no-store"
OPEN: Final = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "etag",
    "cross-origin-resource-policy": "cross-origin",
}
PREFLIGHT: Final = {
    "access-control-allow-methods": "GET",
    "access-control-allow-headers": "*, authorization",
    "access-control-max-age": "86400",
}


class Public:
    """Lets answers be kept and read by pages of any site; they hold nothing of whoever asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a browser that asks whether it may ask, else let the request through."""
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={**OPEN, **PREFLIGHT})(scope, receive, send)
            return

        async def opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(OPEN)
                good = message["status"] in {200, 304}
                headers["cache-control"] = KEPT if good else NOT_KEPT
            await send(message)

        await self._app(scope, receive, opened)
