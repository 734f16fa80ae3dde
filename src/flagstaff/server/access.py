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
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from urllib.parse import unquote

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from flagstaff.commands.roles import Role
from flagstaff.errors import Forbidden, Unavailable
from flagstaff.server.failures import problem
from flagstaff.server.streams.open_streams import Ending, May, OpenStreams, Pass
from flagstaff.services.identity import Identity, seal_key, token_owner
from flagstaff.services.people import PEOPLE
from flagstaff.services.person import ADMIN_EVERYWHERE, ENGINE, Person, Source
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


class Admitting(ABC):
    """Something that knows whose each token is."""

    @abstractmethod
    async def person(self, headers: Headers, tokens: Iterable[str]) -> Person | None:
        """Return who speaks by the first good token of those shown, `None` when none is good.

        Raises:
            Unavailable: whether a token is good cannot be told at the moment.
        """

    @abstractmethod
    def seal(self, words: str) -> str:
        """Return what only those can show for `words` to whom somebody with a token gave it."""

    def watched(self, scope: Scope, stream: Ending, may: May) -> AbstractContextManager[None]:
        """End a stream when its reader is let in no more; where that is never known, do nothing."""
        del scope, stream, may
        return nullcontext()

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


class Access(Admitting):
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
        self._wrong: OrderedDict[str, _Known] = OrderedDict()
        self._changes = 0
        self._lock = threading.Lock()
        self._streams = OpenStreams()
        services.listen(self._changed)

    async def person(self, headers: Headers, tokens: Iterable[str]) -> Person | None:
        """Return who speaks by the first good token of those shown, `None` when none is good.

        Raises:
            Unavailable: a token is not known yet, and the database does not answer.
        """
        unanswered = None
        for token in tokens:
            if not token or len(token) > LONGEST_TOKEN:
                continue
            if self._is_owner(token):
                return _owner(headers)
            known, identity = self._remembered(hashed(token))
            if not known:
                try:
                    identity = await run_sync(self._looked_up, token)
                except Unavailable as exc:
                    unanswered = exc  # another one that is shown may be known already
            if identity is not None:
                return identity.person(_claimed(headers))
        if unanswered is not None:
            raise unanswered
        return None

    def watched(self, scope: Scope, stream: Ending, may: May) -> AbstractContextManager[None]:
        """End a stream when its reader's token or session ends, or they may read it no more."""
        token = bearer(Headers(scope=scope))
        shown = scope.get(SHOWN) or Pass(hashed(token), partial(self._again, token))
        return self._streams.kept(stream, shown, may)

    def _again(self, token: str) -> Person | None:
        if self._is_owner(token):
            return ENGINE
        known, identity = self._remembered(hashed(token))
        found = identity if known else self._looked_up(token)
        return found.person(Source.API) if found else None

    def _is_owner(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._owner_token)

    def seal(self, words: str) -> str:
        """Return what only those can show for `words` to whom somebody with a token gave it."""
        return hmac.new(self._seal, words.encode(), "sha256").hexdigest()

    def _remembered(self, key: str) -> tuple[bool, Identity | None]:
        with self._lock:
            known = self._known.get(key) or self._wrong.get(key)
            if known is None or not known.fresh or time.monotonic() - known.looked_at > FRESH:
                return False, None
            return True, self._in_time(known.identity)

    def _looked_up(self, token: str) -> Identity | None:
        key = hashed(token)
        asked_at, changes = time.monotonic(), self._changes
        try:
            identity = token_owner(self._services, token)
        except Unavailable:
            with self._lock:
                known = self._known.get(key)
            if known is None or known.identity is None:
                raise
            return self._in_time(known.identity)
        with self._lock:
            # Of what has changed meanwhile, an answer from before is no news.
            known = _Known(identity, asked_at, fresh=changes == self._changes)
            kept, other = self._known, self._wrong
            if identity is None:  # apart, so that whoever guesses pushes no good token out
                kept, other = other, kept
            other.pop(key, None)
            kept[key] = known
            kept.move_to_end(key)
            while len(kept) > MOST_KNOWN:
                kept.popitem(last=False)
        return identity

    def _in_time(self, identity: Identity | None) -> Identity | None:
        if identity is None or identity.expires_at is None:
            return identity
        clock = self._services.clock
        return identity if clock.wall(clock.now()) < identity.expires_at else None

    def _changed(self, names: frozenset[str]) -> None:
        if PEOPLE in names or "everything" in names:
            with self._lock:
                self._changes += 1
                for known in self._known.values():
                    known.fresh = False
                self._wrong.clear()
            self._streams.look()


DESCRIPTION = "/openapi.json"


class Gate:
    """Lets only those with a token through to an application, and everyone to its description."""

    def __init__(self, app: ASGIApp, access: Admitting) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say what is missing."""
        if scope["path"] != scope.get("root_path", "") + DESCRIPTION:
            found = await self._access.bearer(Headers(scope=scope))
            if not isinstance(found, Person):
                await found(scope, receive, send)
                return
            scope[PERSON] = found
        await self._app(scope, receive, send)


PERSON = "flagstaff.person"
"""Where a request's scope says who asks."""


SHOWN = "flagstaff.shown"
"""Where it says what let them in, if it was no token."""


def asker(scope: Scope) -> Person:
    """Return who asks; a door has let them in."""
    found = scope[PERSON]
    assert isinstance(found, Person)  # noqa: S101 nothing else is ever put there
    return found


def may_read(by: Person, environment: str) -> bool:
    """Return whether somebody may read an environment's flags as an application does."""
    return by.may(Role.APPLICATION, environment)


def check_reading(by: Person, environment: str) -> None:
    """Let somebody read an environment's flags as an application does.

    Raises:
        Forbidden: they may not.
    """
    if not may_read(by, environment):
        raise Forbidden(
            f"{by.name} may not read the flags of {environment}",
            hint=f"use a token with application@{environment}, or a larger role",
        )


def bearer(headers: Headers) -> str:
    """Return the token of an `Authorization: Bearer` header, or an empty text."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _owner(headers: Headers) -> Person:
    """Return whom the owner's token speaks for; other letters are percent-encoded."""
    return _speaking(headers.get("x-flagstaff-person", ""), _source(headers))


@lru_cache(maxsize=256)
def _speaking(named: str, source: Source) -> Person:
    name = _CONTROL.sub(" ", unquote(named)).strip()
    return Person(
        name=name[:LONGEST_NAME] or "api", source=source, roles=ADMIN_EVERYWHERE, owner=True
    )


def _claimed(headers: Headers) -> Source:
    """Return the way in that a program names; that it is a chat, only the owner's may say."""
    found = _source(headers)
    return Source.API if found is Source.CHAT else found


def _source(headers: Headers) -> Source:
    return SOURCES.get(headers.get("x-flagstaff-source", "").lower(), Source.API)
