"""How do requests go with a flag on and off, without the application counting anything?

Both wrap an application. Of the flags in a rollout, or those that are named, the ones asked during
a request are counted with its answer: 5xx, 302 or another, and slow or not. A request that fails
with an exception counts as 5xx. How long it takes is the time until the answer begins, for a stream
may go on for hours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from flagstaff.contrib.asgi import App, Message, Receive, Scope, Send
from flagstaff.sdk.client import Client
from flagstaff.sdk.crowds import UNMARKED
from flagstaff.sdk.outcomes import (
    REDIRECTS,
    REQUESTS,
    SERVER_ERRORS,
    SLOW_REQUESTS,
    Answered,
    asked_in_here,
)

FAILED = 500
FOUND = 302

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class OutcomesMiddleware:
    """Counts for ASGI applications.

    Args:
        app: the application.
        client: whose flags are asked.
        flags: which are watched; left out, those in a rollout, as the server says.
        slower_than: seconds above each of which a request is slow.
    """

    def __init__(
        self,
        app: App,
        *,
        client: Client,
        flags: Iterable[str] | None = None,
        slower_than: Iterable[float] = SLOW_REQUESTS,
    ) -> None:
        self._app, self._client, self._bounds = app, client, tuple(slower_than)
        client.attend(flags)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on to the application, and count how it answers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began, answered = FAILED, time.monotonic(), 0.0

        async def noting(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.monotonic()
            await send(message)

        with asked_in_here() as asked:
            try:
                await self._app(scope, receive, noting)
            except Exception:
                status = FAILED
                raise
            finally:
                seconds = (answered or time.monotonic()) - began
                _count(self._client, asked, status, seconds, self._bounds)


class OutcomesWsgi:
    """Counts for WSGI applications; see `OutcomesMiddleware` for the arguments.

    What is asked after the application returned, while a body is streamed, is not counted.
    """

    def __init__(
        self,
        app: WsgiApp,
        *,
        client: Client,
        flags: Iterable[str] | None = None,
        slower_than: Iterable[float] = SLOW_REQUESTS,
    ) -> None:
        self._app, self._client, self._bounds = app, client, tuple(slower_than)
        client.attend(flags)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Pass on to the application, and count how it answers."""
        status, began = FAILED, time.monotonic()

        def noting(line: str, *more: Any, **named: Any) -> Any:
            nonlocal status
            status = int(line.split(" ", 1)[0])
            return start_response(line, *more, **named)

        with asked_in_here() as asked:
            try:
                return self._app(environ, noting)
            except Exception:
                status = FAILED
                raise
            finally:
                _count(self._client, asked, status, time.monotonic() - began, self._bounds)


def _count(
    client: Client,
    asked: dict[str, Answered],
    status: int,
    seconds: float,
    bounds: tuple[float, ...],
) -> None:
    for flag, (on, mark) in asked.items():
        actor = mark or UNMARKED
        client.count_duration(flag, REQUESTS, on=on, seconds=seconds, bounds=bounds, actor=actor)
        client.count_outcome(flag, SERVER_ERRORS, on=on, ok=status < FAILED, actor=actor)
        client.count_outcome(flag, REDIRECTS, on=on, ok=status != FOUND, actor=actor)
