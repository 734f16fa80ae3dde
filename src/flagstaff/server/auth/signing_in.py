"""How does somebody get a session, and how does it end?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from flagstaff.errors import NotFound, Refused
from flagstaff.server.auth.attempts import Attempts
from flagstaff.server.auth.cookies import SessionCookie
from flagstaff.server.auth.known_browser import KnownBrowser
from flagstaff.server.auth.passwords import hash_password, is_password
from flagstaff.services import identity
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.services import Services

if TYPE_CHECKING:  # it loads what only servers with a single sign-on need
    from flagstaff.server.auth.sign_on import SignOn

log = logging.getLogger(__name__)

MOST_TRIES = 10
"""For one name, or with one browser that is known, within `attempts.WINDOW`."""

MOST_FROM_ADDRESS = 50
"""From one address, which a whole office may share, for whatever names."""


class SigningIn:
    """The ways in and out of the pages; see `web.doors`.

    Args:
        services: where accounts and sessions are.
        cookie: keeps the session in the browser.
        browser: knows the browsers that somebody has signed in with.
        sign_on: a single sign-on, if there is one.
    """

    def __init__(
        self,
        services: Services,
        cookie: SessionCookie,
        browser: KnownBrowser,
        sign_on: SignOn | None = None,
    ) -> None:
        self._services = services
        self.cookie = cookie
        self.browser = browser
        self._sign_on = sign_on
        self._attempts = Attempts()

    @property
    def sign_on(self) -> str:
        """Return the name of the single sign-on."""
        return self._sign_on.name if self._sign_on else ""

    def sign_in(self, request: Request, name: str, password: str) -> Mapping[str, str]:
        """Compare a password and let the browser in."""
        self._check_password(request, name, password)
        self.sign_out(request)
        return self._begun(name, how="a password")

    def change_password(self, request: Request, name: str, old: str, new: str) -> Mapping[str, str]:
        """Set a new password, and end all sessions but the browser's own."""
        self._check_password(request, name, old)
        hashed = hash_password(new)
        with self._services.unit(_as(name), write=True) as unit:
            identity.change_password(unit, name, hashed)
            return self.cookie.keep(identity.start_session(unit, name, how="a new password"))

    def sign_out_everywhere(self, name: str) -> Mapping[str, str]:
        """End all sessions of somebody."""
        with self._services.unit(_as(name), write=True) as unit:
            identity.end_sessions(unit, name)
        return self.cookie.drop()

    def sign_out(self, request: Request) -> Mapping[str, str]:
        """End the browser's session."""
        secret = self.cookie.read(request.headers)
        if secret:
            with self._services.unit(ENGINE, write=True) as unit:
                identity.end_session(unit, secret)
        return self.cookie.drop()

    def invited(self, secret: str) -> str:
        """Return whose link this is."""
        return self._services.ask(lambda unit: identity.invited(unit, secret), ENGINE)

    def set_password(self, request: Request, secret: str, password: str) -> Mapping[str, str]:
        """Set a password by a link and let the browser in."""
        del request
        name = self.invited(secret)
        hashed = hash_password(password)
        with self._services.unit(_as(name), write=True) as unit:
            identity.set_password(unit, secret, hashed)
            session = identity.start_session(unit, name, how="a link")
        return self.cookie.keep(session)

    def begin_sign_on(self, request: Request, then: str) -> Response:
        """Send the browser to the single sign-on."""
        return self._door().begin(request, then)

    def end_sign_on(self, request: Request) -> tuple[Mapping[str, str], str]:
        """Let in whom the single sign-on sends back."""
        session, then = self._door().end(request)
        return self.cookie.keep(session), then

    def _door(self) -> SignOn:
        if self._sign_on is None:
            raise NotFound("there is no single sign-on here", hint="sign in with a password")
        return self._sign_on

    def _check_password(self, request: Request, name: str, password: str) -> None:
        limits = self._limits(request, name)
        self._attempts.begin(limits)
        kept = self._services.ask(lambda unit: identity.stored_password(unit, name), ENGINE)
        if not is_password(password, kept):
            log.warning("a wrong name or password, from %s", _address(request))
            raise Refused(
                "name or password is wrong",
                hint="an admin can make a new link: flagstaff person invite NAME",
            )
        self._attempts.succeeded(*limits)

    def _limits(self, request: Request, name: str) -> Mapping[str, int]:
        if browser := self.browser.read(request.headers, name):
            return {f"browser {browser}": MOST_TRIES}
        address = f"address {_address(request)}"
        return {f"name {name.lower()[:100]}": MOST_TRIES, address: MOST_FROM_ADDRESS}

    def _begun(self, name: str, *, how: str) -> Mapping[str, str]:
        with self._services.unit(_as(name), write=True) as unit:
            return self.cookie.keep(identity.start_session(unit, name, how=how))


def _as(name: str) -> Person:
    """Return who signs in, for the audit log; they may nothing yet."""
    return Person(name=name, source=Source.WEB)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
