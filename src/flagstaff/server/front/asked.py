"""How is a request's header found without looking at all of them?"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.types import Message, Receive, Scope

_KNOWN = "flagstaff.headers"


def remember(scope: Scope) -> Mapping[bytes, bytes]:
    """Return the request's headers by name, and keep them for whoever asks later.

    Of several with one name the first counts, as it does for Starlette.
    """
    found: Mapping[bytes, bytes] = dict(reversed(scope["headers"]))
    scope[_KNOWN] = AskedHeaders(scope, found)
    return found


class AskedHeaders(Headers):
    """Headers whose values are found by name; Starlette's look through the list each time."""

    def __init__(self, scope: MutableMapping[str, Any], known: Mapping[bytes, bytes]) -> None:
        super().__init__(scope=scope)
        self._known = known

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a header, or the default."""
        found = self._known.get(key.lower().encode("latin-1"))
        return default if found is None else found.decode("latin-1")


def headers_of(scope: Scope) -> Headers:
    """Return the headers of a request, as quickly as it is possible."""
    found: Headers | None = scope.get(_KNOWN)
    return Headers(scope=scope) if found is None else found


class AskedConnection(HTTPConnection):
    """A connection with such headers."""

    @property
    def headers(self) -> Headers:
        """Return the headers."""
        return headers_of(self.scope)


class AskedRequest(AskedConnection, Request):
    """A request with such headers, whose body mostly comes in one piece."""

    async def body(self) -> bytes:
        """Return the whole body."""
        if hasattr(self, "_body") or self._stream_consumed:
            return await super().body()
        first = await self._receive()
        if first["type"] == "http.request" and not first.get("more_body"):
            self._stream_consumed = True
            body: bytes = first.get("body", b"")
            self._body = body
            return body
        self._receive = _again(first, self._receive)
        return await super().body()


def _again(first: Message, receive: Receive) -> Receive:
    """Return a `receive` that begins with a message that has been received already."""
    waiting = [first]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed
