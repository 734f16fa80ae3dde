"""How does every request of an ASGI application get one request actor?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from flagstaff.sdk.scopes import request_scope

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class FlagsMiddleware:
    """Opens a request scope around every HTTP request and every WebSocket.

    The actor is made up here and never read from a header: a visitor must not choose the answer.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on to the application inside the scope."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        with request_scope() as actor:
            scope.setdefault("state", {})["flagstaff_request_actor"] = actor
            await self._app(scope, receive, send)
