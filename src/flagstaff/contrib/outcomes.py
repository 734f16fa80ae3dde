"""How do requests go with a flag on and off, without the application counting anything?

Both wrap an application. Of the flags that are named, those asked during a request are counted with
its answer: 5xx, 302 or another. A request that fails with an exception counts as 5xx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flagstaff.contrib.asgi import App, Message, Receive, Scope, Send
from flagstaff.sdk.client import Client
from flagstaff.sdk.outcomes import REDIRECTS, SERVER_ERRORS, asked_in_here

FAILED = 500
FOUND = 302

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class OutcomesMiddleware:
    """Counts for ASGI applications.

    Args:
        app: the application.
        client: whose flags are asked.
        flags: which are watched, those in a rollout.
    """

    def __init__(self, app: App, *, client: Client, flags: Iterable[str]) -> None:
        self._app, self._client = app, client
        client.attend(flags)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on to the application, and count how it answers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = FAILED

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with asked_in_here() as asked:
            try:
                await self._app(scope, receive, noting)
            except Exception:
                status = FAILED
                raise
            finally:
                _count(self._client, asked, status)


class OutcomesWsgi:
    """Counts for WSGI applications; see `OutcomesMiddleware` for the arguments.

    What is asked after the application returned, while a body is streamed, is not counted.
    """

    def __init__(self, app: WsgiApp, *, client: Client, flags: Iterable[str]) -> None:
        self._app, self._client = app, client
        client.attend(flags)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Pass on to the application, and count how it answers."""
        status = FAILED

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
                _count(self._client, asked, status)


def _count(client: Client, asked: dict[str, bool], status: int) -> None:
    for flag, on in asked.items():
        client.count_outcome(flag, SERVER_ERRORS, on=on, ok=status < FAILED)
        client.count_outcome(flag, REDIRECTS, on=on, ok=status != FOUND)
