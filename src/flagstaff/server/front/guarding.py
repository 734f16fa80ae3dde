"""Which requests do not get as far as the application, and what does every answer carry?

What a password or token does not keep out is a page in the user's own browser: one by a name that
points to our address (DNS rebinding), or a form or script of a foreign site (CSRF).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import Message, Receive, Scope

MAX_BODY = 1_048_576
SAFE = {"GET", "HEAD", "OPTIONS"}
API = ("/api/", "/environments/", "/ofrep/", "/flipper/", "/slack/", "/mattermost/", "/forges/")
"""Addresses that want a token or a signature, which no foreign page has."""
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

PROGRAMS = {
    name: HEADERS[name] for name in ("x-content-type-options", "cross-origin-resource-policy")
}
"""For answers that only programs ask for: no browser shows them, with these."""
STRICT = {"strict-transport-security": "max-age=31536000"}


class TooLarge(Exception):
    """A request's body is longer than `MAX_BODY` bytes."""


class Rules:
    """What is refused whoever asks, and what every answer carries.

    Args:
        hosts: names, with their ports, by which the server is reached besides localhost.
        secure: whether browsers come by https, and shall never come otherwise.
    """

    def __init__(self, hosts: frozenset[str], *, secure: bool = False) -> None:
        self._hosts = hosts
        self._secure = secure
        self.headers = _encoded({**HEADERS, **(STRICT if secure else {})})
        self.program_headers = _encoded({**PROGRAMS, **(STRICT if secure else {})})

    def refusal(self, scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[int, str, str] | None:
        """Return the status, the text and the code of a refusal, or `None`."""
        host = headers.get(b"host", b"").decode("latin-1")
        if sum(name == b"host" for name, _ in scope["headers"]) > 1:
            # Whoever reads the other one sees another server.
            return 403, "a request is for one host", "refused"
        if not is_loopback(host) and host.lower() not in self._hosts:
            known = ", ".join(sorted(self._hosts)) or "localhost or 127.0.0.1 only"
            return 403, f"this server answers as {known}, not as {host[:100]!r}", "refused"
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MAX_BODY:
            return 413, TOO_LARGE, "too_large"
        if scope["method"] in SAFE or scope["path"].startswith(API):
            return None
        if not self._from_our_own_page(headers):
            text = "this change does not come from one of our own pages; open the page and retry"
            return 403, text, "refused"
        return None

    def _from_our_own_page(self, headers: Mapping[bytes, bytes]) -> bool:
        site = headers.get(b"sec-fetch-site")
        if site is not None:
            return site in {b"same-origin", b"none"}
        scheme, host = urlsplit(headers.get(b"origin", b"").decode("latin-1"))[:2]
        # Without https, whoever stands in between can be a page of any name.
        known = scheme == "https" or not self._secure or is_loopback(host)
        told = headers.get(b"host", b"").decode("latin-1")
        return known and scheme in {"http", "https"} and host == told


def _encoded(headers: Mapping[str, str]) -> Mapping[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in headers.items()}


TOO_LARGE = f"the request is longer than {MAX_BODY:,} bytes"


@lru_cache(maxsize=1024)
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


class Limited:
    """Receives a body as long as it is no longer than `MAX_BODY` bytes."""

    def __init__(self, receive: Receive) -> None:
        self.exceeded = False
        self._receive = receive
        self._seen = 0

    async def __call__(self) -> Message:
        """Receive the next piece.

        Raises:
            TooLarge: it was one too many.
        """
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > MAX_BODY:
            self.exceeded = True
            raise TooLarge
        return message
