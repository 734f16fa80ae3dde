"""Which pages does somebody see who has not signed in? Only those listed here.

Whatever is neither listed nor an address of programs, which have doors of their own, wants a
session; so a page that somebody adds later is closed until they open it.
"""

from __future__ import annotations

from urllib.parse import quote

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from flagstaff.errors import Unavailable
from flagstaff.server.access import PERSON
from flagstaff.server.auth.cookies import SessionCookie
from flagstaff.server.guarding import API
from flagstaff.services import people
from flagstaff.services.identity import session_owner
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.services import Services

SIGN_IN = "/sign-in"
OPEN = ("/static/", "/setup/", "/sign-in/")
FOR_MACHINES = ("/healthz", "/readyz", "/metrics")
"""Nobody is looked up for these: whether we are alive is not the database's to say."""
OPEN_EXACTLY = (SIGN_IN, "/sign-out", *FOR_MACHINES)


class Doorkeeper:
    """Stands before the pages, and says who it is that comes in.

    Args:
        visitor: who is let in without a session as long as nobody has an account; None where others
            than this machine could be that.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        services: Services,
        cookie: SessionCookie,
        visitor: Person | None,
    ) -> None:
        self._app = app
        self._services = services
        self._cookie = cookie
        self._visitor = visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or send it to sign in."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith(API) or path in FOR_MACHINES:
            await self._app(scope, receive, send)
            return
        try:
            person = await run_sync(self._person, self._cookie.read(Headers(scope=scope)))
        except Unavailable:
            person = None
            if not _is_open(scope["path"]):
                text = "the database does not answer, so nobody can be let in\n"
                await PlainTextResponse(text, 503)(scope, receive, send)
                return
        if person is not None:
            scope[PERSON] = person
        elif not _is_open(scope["path"]):
            await _to_sign_in(scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _person(self, secret: str) -> Person | None:
        if secret and (found := session_owner(self._services, secret)):
            return found.person(Source.WEB)
        if self._visitor is None or self._services.ask(people.anybody, ENGINE):
            return None
        return self._visitor


def _is_open(path: str) -> bool:
    return path in OPEN_EXACTLY or path.startswith(OPEN)


def _to_sign_in(scope: Scope) -> ASGIApp:
    if scope["method"] != "GET":
        return PlainTextResponse("your session is over; sign in and do it again\n", 401)
    query = scope["query_string"].decode("latin-1")
    then = scope["path"] + (f"?{query}" if query else "")
    if Headers(scope=scope).get("hx-request") or scope["path"] == "/events":
        return PlainTextResponse("your session is over\n", 401, headers={"hx-refresh": "true"})
    return RedirectResponse(f"{SIGN_IN}?then={quote(then, safe='')}", 303)


def visitor_of(request_scope: Scope) -> Person:
    """Return who sent a request for a page; without roles where nobody has signed in."""
    found = request_scope.get(PERSON)
    return found if isinstance(found, Person) else _NOBODY


_NOBODY = Person(name="", source=Source.WEB)
