"""Does a program show the right token, and on whose behalf does it speak?"""

from __future__ import annotations

import hmac
import re
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from flagstaff.server.failures import problem
from flagstaff.services.person import Person, Source

SOURCES = {each.value: each for each in (Source.TERMINAL, Source.CHAT, Source.API)}
LONGEST_NAME = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class Access:
    """Knows the server's one token."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def refusal(self, headers: Headers) -> Response | None:
        """Return the answer to a request without the token, `None` to one with it."""
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        given = shown.strip().encode()
        if scheme.lower() == "bearer" and hmac.compare_digest(given, self._token):
            return None
        response = problem(
            401,
            "the token is wrong" if shown else "there is no token",
            code="unauthorized",
            hint="send `Authorization: Bearer TOKEN` with what .flagstaff/token holds",
        )
        response.headers["www-authenticate"] = "Bearer"
        return response

    def seal(self, words: str) -> str:
        """Return what only those can show for `words` to whom somebody with the token gave it."""
        return hmac.new(self._token, words.encode(), "sha256").hexdigest()


class Gate:
    """Lets only those with the token through to an application, and everyone to its description."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say what is missing."""
        if scope["type"] == "http" and not scope["path"].endswith("/openapi.json"):
            refusal = self._access.refusal(Headers(scope=scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def person(headers: Headers) -> Person:
    """Return who asks, as the program says; names with other letters are percent-encoded."""
    name = _CONTROL.sub(" ", unquote(headers.get("x-flagstaff-person", ""))).strip()
    source = SOURCES.get(headers.get("x-flagstaff-source", "").lower(), Source.API)
    return Person(name=name[:LONGEST_NAME] or "api", source=source)
