"""Which pages does somebody see who has not signed in? Only those listed here.

Whatever is neither listed nor an address of programs, which have doors of their own, wants a
session; so a page that somebody adds later is closed until they open it.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from anyio.to_thread import run_sync
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flagstaff.errors import Unavailable
from flagstaff.server.access import PERSON, SHOWN
from flagstaff.server.auth.cookies import SessionCookie
from flagstaff.server.auth.known_browser import KnownBrowser
from flagstaff.server.front.guarding import API
from flagstaff.server.streams.open_streams import Pass
from flagstaff.services import people
from flagstaff.services.identity import session_owner
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.secret import hashed
from flagstaff.services.services import Services

SIGN_IN = "/sign-in"
OPEN = ("/static/", "/setup/", "/sign-in/")
FOR_MACHINES = ("/healthz", "/readyz", "/metrics")
"""Nobody is looked up for these: whether we are alive is not the database's to say."""
OPEN_EXACTLY = (SIGN_IN, "/sign-out", *FOR_MACHINES)

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""With one of these, it is not this machine's own browser that asks, whatever the address says."""


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
        browser: KnownBrowser,
        visitor: Person | None,
    ) -> None:
        self._app = app
        self._services = services
        self._cookie = cookie
        self._browser = browser
        self._visitor = visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or send it to sign in."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith(API) or path in FOR_MACHINES:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        forwarded = any(each in headers for each in FORWARDED)
        secret = self._cookie.read(headers)
        try:
            person = await run_sync(self._person, secret, forwarded)
        except Unavailable:
            person = None
            if not _is_open(scope["path"]):
                text = "the database does not answer, so nobody can be let in\n"
                await PlainTextResponse(text, 503)(scope, receive, send)
                return
        if person is not None:
            shown = Pass(f"session {hashed(secret)}", partial(self._person, secret, forwarded))
            scope[PERSON], scope[SHOWN] = person, shown
            if person.account and not self._browser.read(headers, person.account):
                send = _remembering(self._browser.keep(person.account), send)
        elif not _is_open(scope["path"]):
            await _to_sign_in(scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _person(self, secret: str, forwarded: bool) -> Person | None:  # noqa: FBT001
        if secret and (found := session_owner(self._services, secret)):
            return found.person(Source.WEB)
        if self._visitor is None or forwarded or self._services.ask(people.anybody, ENGINE):
            return None
        return self._visitor


def _remembering(cookie: str, send: Send) -> Send:
    async def with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return with_cookie


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
