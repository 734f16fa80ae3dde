"""How does somebody sign in with what they are elsewhere (OpenID Connect)?"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flagstaff.errors import FlagstaffError, NotFound, Refused
from flagstaff.server.auth.attempts import Attempts
from flagstaff.server.auth.cookies import SignOnCookie
from flagstaff.server.auth.issuer import Issuer, code_word
from flagstaff.server.auth.sign_on_settings import SignOnSettings
from flagstaff.services import identity, sign_on
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.secret import hashed, new_secret
from flagstaff.services.services import Services
from flagstaff.services.sign_on import Admitted, HalfDone, SignedOn

log = logging.getLogger(__name__)

BACK = "/sign-in/back"
LONGEST = 4096
"""Characters of a code, and of a page's address."""

MOST = 100
"""Sign-ons that are begun from one address in ten minutes; a whole office may share one."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class LetIn(NamedTuple):
    """A session, and the page they wanted."""

    session: str
    then: str


class SignOn:
    """Sends people to the issuer, and lets them in when they come back."""

    def __init__(self, settings: SignOnSettings, services: Services, issuer: Issuer) -> None:
        self.name = settings.name
        self._settings = settings
        self._services = services
        self._issuer = issuer
        self._cookie = SignOnCookie(secure=settings.secure)
        self._attempts = Attempts()

    def begin(self, request: Request, then: str) -> Response:
        """Send the browser to the issuer.

        Raises:
            Throttled: too many have been begun from there.
            Unavailable: the issuer does not answer.
        """
        key = request.client.host if request.client else ""
        self._attempts.begin({key: MOST})
        self._issuer.check()
        browser = self._cookie.read(request.headers)
        if not _SECRET.fullmatch(browser):
            browser = new_secret()
        half_done = HalfDone(
            issuer=self._settings.issuer,
            nonce=new_secret(),
            verifier=new_secret(),
            redirect_uri=self._base(request) + BACK,
            browser=hashed(browser),
            then=then if len(then) <= LONGEST else "/",
        )
        with self._services.unit(ENGINE, write=True) as unit:
            state = sign_on.begin(unit, half_done)
        headers = {**self._cookie.keep(browser), "cache-control": "no-store"}
        return RedirectResponse(self._issuer.address(half_done, state), 303, headers=headers)

    def end(self, request: Request) -> LetIn:
        """Let in whom the issuer sends back.

        Raises:
            Refused: it did not vouch for them, or nobody here knows them.
            Unavailable: it does not answer.
        """
        try:
            return self._ended(request)
        except FlagstaffError as exc:
            log.warning("a single sign-on ended without a session: %s", exc.message)
            raise

    def _ended(self, request: Request) -> LetIn:
        said = _single(request)
        half_done = self._half_done(request, said.get("state", ""))
        self._issuer.check_sender(said.get("iss", ""))
        code = said.get("code", "")
        if error := said.get("error"):
            raise Refused(
                f"{self.name} did not sign you in: {code_word(error) or 'it does not say why'}",
                hint="try again, or sign in with a password",
            )
        if not code or len(code) > LONGEST:
            raise Refused(f"{self.name} sent no code", hint="sign in again")
        who = self._issuer.identify(half_done, code)
        admitted, session = self._admitted(who)
        if admitted.refusal:
            raise Refused(admitted.refusal, hint=admitted.hint)
        return LetIn(session, half_done.then)

    def _half_done(self, request: Request, state: str) -> HalfDone:
        """Return the sign-on that comes back, if this browser has begun it."""
        found = None
        # Looked for before it is taken, so that guesses write nothing.
        if self._services.ask(lambda unit: sign_on.is_half_done(unit, state), ENGINE):
            with self._services.unit(ENGINE, write=True) as unit:
                found = sign_on.take(unit, state)
        if found is None or found.issuer != self._settings.issuer:
            raise NotFound(
                "this sign-on is over: it works once, and for ten minutes", hint="sign in again"
            )
        if not hmac.compare_digest(hashed(self._cookie.read(request.headers)), found.browser):
            raise Refused(
                "this sign-on was begun in another browser, or at another address of this server",
                hint=f"sign in again, at {self._base(request)}, with cookies allowed",
            )
        return found

    def _admitted(self, who: SignedOn) -> tuple[Admitted, str]:
        by = Person(name=who.email or who.user_name or who.subject, source=Source.WEB)
        with self._services.unit(by, write=True) as unit:
            admitted = sign_on.admit(unit, who)
            if admitted.refusal:
                return admitted, ""
            how = f"single sign-on ({self.name})"
            return admitted, identity.start_session(unit, admitted.name, how=how)

    def _base(self, request: Request) -> str:
        """Return where people reach us; without a public address only this machine's own do."""
        here = f"{request.url.scheme}://{request.headers.get('host', '')}"
        return self._settings.public_url or here


def _single(request: Request) -> Mapping[str, str]:
    """Return the parameters that are there once; what is there twice is nobody's honest answer."""
    query = request.query_params
    return {key: query[key] for key in query if len(query.getlist(key)) == 1}
