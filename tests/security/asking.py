"""How do the tests of security ask? As raw ASGI, so that no client mends what is sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.datastructures import Headers
from walking import starlette_of

PATIENCE = 60.0
Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; of a stream, what came before we left."""

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.body)


class Stream:
    """A stream that stays open; `over` is set when the server has ended it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.leaving = asyncio.Event()
        self.over = asyncio.Event()
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""


class Wire:
    """Sends requests to an application whose lifespan it holds open."""

    def __init__(self, app: Any, portal: BlockingPortal) -> None:
        self._app = app
        self._portal = portal

    def ask(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | Pairs = (),
        body: bytes = b"",
        *,
        address: str = "127.0.0.1",
        scheme: str = "http",
    ) -> Answer:
        """Send a request; a stream is left once it has begun."""
        scope = _scope(method, target, _pairs(headers), body, address=address, scheme=scheme)
        return self._portal.call(self._asked, scope, body)

    def post(self, target: str, form: dict[str, str], headers: dict[str, str], **more: Any) -> Any:
        """Send a form as a browser does from one of our own pages."""
        own = {
            "sec-fetch-site": "same-origin",
            "content-type": "application/x-www-form-urlencoded",
            **headers,
        }
        return self.ask("POST", target, own, urlencode(form).encode(), **more)

    @contextlib.contextmanager
    def streaming(self, target: str, headers: dict[str, str]) -> Iterator[Stream]:
        """Keep a stream open, and leave it at the end."""
        stream = self._portal.call(_made)
        scope = _scope("GET", target, _pairs(headers), b"")
        future = self._portal.start_task_soon(self._run, scope, b"", stream)
        self._portal.call(stream.begun.wait)
        try:
            yield stream
        finally:
            self._portal.call(_set, stream.leaving)
            future.result(PATIENCE)

    def is_over(self, stream: Stream, within: float) -> bool:
        """Wait for the server to end a stream."""
        return self._portal.call(_until, stream.over, within)

    async def _asked(self, scope: dict[str, Any], body: bytes) -> Answer:
        stream = Stream()

        async def leave() -> None:
            await stream.begun.wait()
            if dict(stream.headers).get(b"content-type", b"").startswith(b"text/event-stream"):
                stream.leaving.set()

        leaving = asyncio.ensure_future(leave())
        async with asyncio.timeout(PATIENCE):
            await self._run(scope, body, stream)
        leaving.cancel()
        return Answer(stream.status, Headers(raw=stream.headers), stream.body)

    async def _run(self, scope: dict[str, Any], body: bytes, stream: Stream) -> None:
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await stream.leaving.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                stream.status = message["status"]
                stream.headers = [(name.lower(), value) for name, value in message["headers"]]
                stream.begun.set()
            else:
                stream.body += message.get("body", b"")
                if not message.get("more_body", False):
                    stream.over.set()

        try:
            await self._app(scope, receive, send)
        finally:
            stream.begun.set()
            stream.over.set()


@contextlib.contextmanager
def wired(app: Any) -> Iterator[Wire]:
    """Run an application in a thread of its own."""
    with start_blocking_portal() as portal:
        lifespan = portal.wrap_async_context_manager(starlette_of(app).router.lifespan_context(app))
        with lifespan:
            yield Wire(app, portal)


def _scope(
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    body: bytes,
    *,
    address: str = "127.0.0.1",
    scheme: str = "http",
) -> dict[str, Any]:
    path, _, query = target.partition("?")
    given = {name.lower() for name, _ in headers}
    if "host" not in given:
        headers = [("host", "localhost"), *headers]
    if body and "content-length" not in given:
        headers = [*headers, ("content-length", str(len(body)))]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        # As a server does it: the decoded path, and the one that was sent.
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("utf-8", "surrogateescape"))
            for name, value in headers
        ],
        "client": (address, 50_000),
        "server": ("localhost", 80),
        "state": {},
    }


def _pairs(headers: dict[str, str] | Pairs) -> list[tuple[str, str]]:
    return list(headers.items()) if isinstance(headers, dict) else list(headers)


async def _made() -> Stream:
    return Stream()


async def _set(event: asyncio.Event) -> None:
    event.set()


async def _until(event: asyncio.Event, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            await event.wait()
    except TimeoutError:
        return False
    return True
