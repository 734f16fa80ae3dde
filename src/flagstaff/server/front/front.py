"""What happens to every request before and after the application has it?

It is refused if it comes from a foreign page, too often or with too long a body; it is counted and
written to the log; and its answer carries the headers that keep browsers strict.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flagstaff.server.failures import problem
from flagstaff.server.front.asked import remember
from flagstaff.server.front.guarding import API, TOO_LARGE, Limited, Rules, TooLarge
from flagstaff.server.front.limits import Client, Limits
from flagstaff.server.front.metrics import Metrics
from flagstaff.server.front.routes import template_of
from flagstaff.server.front.tracing import HEADER, named, note
from flagstaff.server.front.ways import Way, Ways

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
STREAMS_AGAIN = 5
"""Seconds after which one asks again that was refused a stream."""

log = logging.getLogger(__name__)


class Front:
    """Stands before the application.

    Args:
        app: the application.
        rules: what is refused whoever asks, and which headers every answer has.
        limits: how much each client may have.
        metrics: where everything is counted.
        ways: addresses that go to their application directly.
    """

    def __init__(
        self, app: ASGIApp, *, rules: Rules, limits: Limits, metrics: Metrics, ways: Ways
    ) -> None:
        self._app = app
        self._rules = rules
        self._limits = limits
        self._metrics = metrics
        self._ways = ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] == "websocket":  # there are none, and no door knows them
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        headers = remember(scope)
        name = named(scope, headers)
        client = self._limits.client(scope, headers)
        way = self._ways.find(scope)
        streams = way is not None and way.stream
        more = self._rules.headers if way is None else self._rules.program_headers
        answer = _Answer(send, more, (HEADER, name.encode()))
        try:
            if refusal := self._refusal(scope, headers, client):
                await refusal(scope, receive, answer)
            elif way is not None and streams:
                await self._stream(way, client, scope, receive, answer)
            else:
                # A body whose length was told has been judged by it already.
                if b"content-length" not in headers or b"transfer-encoding" in headers:
                    receive = answer.limited = Limited(receive)
                await self._pass(way, scope, receive, answer)
        finally:
            taken = perf_counter() - began
            self._limits.note(client, answer.status)
            route = way.template if way is not None else template_of(scope)
            self._metrics.answered(route, _method(scope), answer.status, None if streams else taken)
            note(scope, name, answer.status, taken)

    async def _stream(
        self, way: Way, client: Client, scope: Scope, receive: Receive, answer: _Answer
    ) -> None:
        if limit := self._limits.open_stream(client):
            self._metrics.limited(limit)
            text = "there are too many streams already; poll, or come back later"
            refused = _refuse(503, text, "too_many_streams", scope=scope, after=STREAMS_AGAIN)
            await refused(scope, receive, answer)
            return
        try:
            await way.app(scope, receive, answer)
        finally:
            self._limits.close_stream(client)

    async def _pass(self, way: Way | None, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await (self._app if way is None else way.app)(scope, receive, answer)
        except (TooLarge, ClientDisconnect):
            pass  # the first is answered below, the second by nobody
        except Exception as exc:
            if way is None or answer.status:
                raise
            log.exception("%s %s failed", scope["method"], way.template)
            text = f"{type(exc).__name__}: see the server's log"
            await problem(500, text, code="fault")(scope, receive, answer)
        if answer.broken_off:
            answer.limited = None
            refused = _refuse(413, TOO_LARGE, "too_large", scope=scope)
            await refused(scope, receive, answer)

    def _refusal(
        self, scope: Scope, headers: Mapping[bytes, bytes], client: Client
    ) -> ASGIApp | None:
        if found := self._rules.refusal(scope, headers):
            return _refuse(*found, scope=scope)
        if wait := self._limits.wait(client):
            self._metrics.limited("request_rate" if client.by_token else "address_rate")
            text = "that is too often for one client; come back later"
            return _refuse(429, text, "too_many_requests", scope=scope, after=math.ceil(wait))
        return None


class _Answer:
    """Sends, adds the headers to what is sent, and remembers the status."""

    __slots__ = ("_headers", "_name", "_send", "limited", "status")

    def __init__(
        self, send: Send, headers: Mapping[bytes, bytes], name: tuple[bytes, bytes]
    ) -> None:
        self._send = send
        self._headers = headers
        self._name = name
        self.limited: Limited | None = None
        self.status = 0

    @property
    def broken_off(self) -> bool:
        """Return whether a body was too long and nothing has been answered yet."""
        return self.limited is not None and self.limited.exceeded and not self.status

    async def __call__(self, message: Message) -> None:
        if self.limited is not None and self.broken_off:
            return  # Frameworks take the broken reading for a malformed body.
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.get("headers", ())
            names = {name for name, _ in given}
            more = [each for each in self._headers.items() if each[0] not in names]
            message["headers"] = [*given, *more, self._name]
        await self._send(message)


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in METHODS else "other"


def _refuse(status: int, text: str, code: str, *, scope: Scope, after: int = 0) -> Response:
    path: str = scope["path"]
    response: Response
    if "/ofrep/" in path:
        response = JSONResponse({"errorDetails": text}, status)
    elif path.startswith(API):
        response = problem(status, text, code=code)
    else:
        response = PlainTextResponse(f"{text}\n", status)
    if after:
        response.headers["retry-after"] = str(after)
    return response
