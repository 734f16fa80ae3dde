"""By which name can one request be found in the log?"""

from __future__ import annotations

import logging
import re
import time
from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"
_NAME = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_SECRET = re.compile(r"(/setup/).*", re.DOTALL)
"""What stands behind it in an address is as good as a password."""

log = logging.getLogger("flagstaff.requests")


class Tracing:
    """Gives each request the name it came with, or a new one, in its answer and in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER), b"")
        named = given.decode() if _NAME.fullmatch(given) else token_hex(16)
        scope.setdefault("state", {})["request_id"] = named
        began, status = time.perf_counter(), 0

        async def with_name(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {
                    **message,
                    "headers": [*message.get("headers", ()), (HEADER, named.encode())],
                }
            await send(message)

        try:
            await self._app(scope, receive, with_name)
        finally:
            level = logging.WARNING if status >= 500 or not status else logging.INFO  # noqa: PLR2004
            if log.isEnabledFor(level):
                took = (time.perf_counter() - began) * 1_000
                path = _SECRET.sub(r"\1***", scope["path"]).encode("unicode_escape").decode()
                log.log(level, "%s %s %d %.1f ms %s", scope["method"], path, status, took, named)
