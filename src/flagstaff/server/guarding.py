"""Which requests do not get as far as the application, and what does every answer carry?

What a password or token does not keep out is a page in the user's own browser: one by a name that
points to our address (DNS rebinding), or a form or script of a foreign site (CSRF).
"""

from __future__ import annotations

import contextlib
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flagstaff.server.failures import problem

MAX_BODY = 1_048_576
SAFE = {"GET", "HEAD", "OPTIONS"}
API = ("/api/", "/environments/", "/ofrep/", "/flipper/")
"""Addresses that want a token, which no foreign page has."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}

STRICT = {"strict-transport-security": "max-age=31536000"}


class TooLarge(Exception):
    """A request's body is longer than `MAX_BODY` bytes."""


class Guarding:
    """Stands before the application.

    Args:
        app: the application.
        hosts: names, with their ports, by which the server is reached besides localhost.
        secure: whether browsers come by https, and shall never come otherwise.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], *, secure: bool = False) -> None:
        self._app = app
        self._hosts = hosts
        self._secure = secure
        self._headers = {**HEADERS, **(STRICT if secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] == "websocket":  # there are none, and no door knows them
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        limited = _Limited(receive)

        async def with_headers(message: Message) -> None:
            nonlocal started
            if limited.exceeded and not started:
                return  # Frameworks take the broken reading for a malformed body.
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        if refusal := self._refusal(scope, headers):
            await _refuse(*refusal, scope=scope)(scope, receive, with_headers)
            return
        with contextlib.suppress(TooLarge):
            await self._app(scope, limited, with_headers)
        if limited.exceeded and not started:
            limited.exceeded = False
            await _refuse(413, _TOO_LARGE, scope=scope)(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if len(headers.getlist("host")) > 1:  # whoever reads the other one sees another server
            return 403, "a request is for one host"
        if host.lower() not in self._hosts and not is_loopback(host):
            known = ", ".join(sorted(self._hosts)) or "localhost or 127.0.0.1 only"
            return 403, f"this server answers as {known}, not as {host[:100]!r}"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return 413, _TOO_LARGE
        if scope["method"] in SAFE or scope["path"].startswith(API):
            return None
        if not self._from_our_own_page(headers):
            return 403, (
                "this change does not come from one of our own pages; open the page and retry"
            )
        return None

    def _from_our_own_page(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        scheme, host = urlsplit(headers.get("origin", ""))[:2]
        # Without https, whoever stands in between can be a page of any name.
        known = scheme == "https" or not self._secure or is_loopback(host)
        return known and scheme in {"http", "https"} and host == headers.get("host")


_TOO_LARGE = f"the request is longer than {MAX_BODY:,} bytes"


def is_loopback(host: str) -> bool:
    """Return whether a Host header names this machine itself."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Limited:
    """Receives a body as long as it is no longer than `MAX_BODY` bytes."""

    def __init__(self, receive: Receive) -> None:
        self.exceeded = False
        self._receive = receive
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > MAX_BODY:
            self.exceeded = True
            raise TooLarge
        return message


def _refuse(status: int, text: str, *, scope: Scope) -> ASGIApp:
    if scope["path"].startswith(API):
        return problem(status, text, code="refused" if status == 403 else "too_large")  # noqa: PLR2004
    return PlainTextResponse(f"{text}\n", status)
