"""Does a program show a good token, and on whose behalf does it speak?

There are two kinds. The one in `.flagstaff/token` belongs to whoever owns the project's folder, and
may do everything on behalf of whoever it names. All others are made by people, and speak for the
person or machine they were made for, no matter what the request says.
"""

from __future__ import annotations

import hmac
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from flagstaff.commands.roles import Role
from flagstaff.errors import Refused, Unavailable
from flagstaff.server.failures import problem
from flagstaff.services.identity import Identity, seal_key, token_owner
from flagstaff.services.people import PEOPLE
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.secret import hashed
from flagstaff.services.services import Services

SOURCES = {each.value: each for each in (Source.TERMINAL, Source.CHAT, Source.API)}
LONGEST_NAME = 255
LONGEST_TOKEN = 200
FRESH = 5.0
"""Seconds for which a token is not looked up again, unless it is told that tokens have changed."""

MOST_KNOWN = 10_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(slots=True)
class _Known:
    """What the database said of a token, and when."""

    identity: Identity | None
    looked_at: float
    fresh: bool = True


class Access:
    """Knows whose each token is; safe from any thread.

    While the database is away, a token that was good stays good.

    Args:
        services: where tokens are looked up.
        owner_token: the token of whoever owns the project's folder.
    """

    def __init__(self, services: Services, owner_token: str) -> None:
        self._services = services
        self._owner_token = owner_token.encode()
        self._seal = seal_key(services).encode()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()
        services.listen(self._changed)

    async def person(self, headers: Headers, tokens: Iterable[str]) -> Person | None:
        """Return who speaks by the first good token of those shown, `None` when none is good.

        Raises:
            Unavailable: a token is not known yet, and the database does not answer.
        """
        for token in tokens:
            if not token or len(token) > LONGEST_TOKEN:
                continue
            if hmac.compare_digest(token.encode("utf-8", "replace"), self._owner_token):
                return _owner(headers)
            known, identity = self._remembered(hashed(token))
            if not known:
                identity = await run_sync(self._looked_up, token)
            if identity is not None:
                return identity.person(_source(headers))
        return None

    async def bearer(self, headers: Headers) -> Person | Response:
        """Return who speaks by an `Authorization: Bearer` header, or the refusal."""
        shown = bearer(headers)
        try:
            person = await self.person(headers, [shown])
        except Unavailable as exc:
            return problem(503, exc.message, code=exc.code, hint=exc.hint)
        if person is not None:
            return person
        response = problem(
            401,
            "the token is wrong, has expired or was revoked" if shown else "there is no token",
            code="unauthorized",
            hint="send `Authorization: Bearer TOKEN`; `flagstaff token create` makes one",
        )
        response.headers["www-authenticate"] = "Bearer"
        return response

    def seal(self, words: str) -> str:
        """Return what only those can show for `words` to whom somebody with a token gave it."""
        return hmac.new(self._seal, words.encode(), "sha256").hexdigest()

    def _remembered(self, key: str) -> tuple[bool, Identity | None]:
        with self._lock:
            known = self._known.get(key)
            if known is None or not known.fresh or time.monotonic() - known.looked_at > FRESH:
                return False, None
            self._known.move_to_end(key)
            return True, self._in_time(known.identity)

    def _looked_up(self, token: str) -> Identity | None:
        key = hashed(token)
        asked_at = time.monotonic()
        try:
            identity = token_owner(self._services, token)
        except Unavailable:
            with self._lock:
                known = self._known.get(key)
            if known is None or known.identity is None:
                raise
            return self._in_time(known.identity)
        with self._lock:
            self._known[key] = _Known(identity, asked_at)
            self._known.move_to_end(key)
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return identity

    def _in_time(self, identity: Identity | None) -> Identity | None:
        if identity is None or identity.expires_at is None:
            return identity
        clock = self._services.clock
        return identity if clock.wall(clock.now()) < identity.expires_at else None

    def _changed(self, names: frozenset[str]) -> None:
        if PEOPLE in names or "everything" in names:
            with self._lock:
                for known in self._known.values():
                    known.fresh = False


class Gate:
    """Lets only those with a token through to an application, and everyone to its description."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say what is missing."""
        if scope["type"] == "http" and not scope["path"].endswith("/openapi.json"):
            found = await self._access.bearer(Headers(scope=scope))
            if not isinstance(found, Person):
                await found(scope, receive, send)
                return
            scope[PERSON] = found
        await self._app(scope, receive, send)


PERSON = "flagstaff.person"
"""Where a request's scope says who asks."""


def asker(scope: Scope) -> Person:
    """Return who asks; a door has let them in."""
    found = scope[PERSON]
    assert isinstance(found, Person)  # noqa: S101 nothing else is ever put there
    return found


def check_reading(by: Person, environment: str) -> None:
    """Let somebody read an environment's flags as an application does.

    Raises:
        Refused: they may not.
    """
    if not by.may(Role.APPLICATION, environment):
        raise Refused(
            f"{by.name} may not read the flags of {environment}",
            hint=f"use a token with application@{environment}, or a larger role",
        )


def bearer(headers: Headers) -> str:
    """Return the token of an `Authorization: Bearer` header, or an empty text."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _owner(headers: Headers) -> Person:
    """Return whom the owner's token speaks for; other letters are percent-encoded."""
    name = _CONTROL.sub(" ", unquote(headers.get("x-flagstaff-person", ""))).strip()
    return Person(
        name=name[:LONGEST_NAME] or "api", source=_source(headers), roles=ADMIN_EVERYWHERE
    )


def _source(headers: Headers) -> Source:
    return SOURCES.get(headers.get("x-flagstaff-source", "").lower(), Source.API)
