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
from flagstaff.server.auth.passwords import hash_password, is_password
from flagstaff.services import identity
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.services import Services

if TYPE_CHECKING:  # it loads what only servers with a single sign-on need
    from flagstaff.server.auth.sign_on import SignOn

log = logging.getLogger(__name__)


class SigningIn:
    """The ways in and out of the pages; see `web.doors`.

    Args:
        sign_on: a single sign-on, if there is one.
    """

    def __init__(
        self, services: Services, cookie: SessionCookie, sign_on: SignOn | None = None
    ) -> None:
        self._services = services
        self._cookie = cookie
        self._sign_on = sign_on
        self._attempts = Attempts()

    @property
    def sign_on(self) -> str:
        """Return the name of the single sign-on."""
        return self._sign_on.name if self._sign_on else ""

    def sign_in(self, request: Request, name: str, password: str) -> Mapping[str, str]:
        """Compare a password and let the browser in."""
        keys = (f"name {name.lower()[:100]}", f"address {_address(request)}")
        self._attempts.check(*keys)
        kept = self._services.ask(lambda unit: identity.stored_password(unit, name), ENGINE)
        if not is_password(password, kept):
            self._attempts.failed(*keys)
            log.warning("a wrong name or password, from %s", _address(request))
            raise Refused(
                "name or password is wrong",
                hint="an admin can make a new link: flagstaff person invite NAME",
            )
        self._attempts.forget(keys[0])
        return self._begun(name, how="a password")

    def sign_out(self, request: Request) -> Mapping[str, str]:
        """End the browser's session."""
        secret = self._cookie.read(request.headers)
        if secret:
            with self._services.unit(ENGINE, write=True) as unit:
                identity.end_session(unit, secret)
        return self._cookie.drop()

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
        return self._cookie.keep(session)

    def begin_sign_on(self, request: Request, then: str) -> Response:
        """Send the browser to the single sign-on."""
        return self._door().begin(request, then)

    def end_sign_on(self, request: Request) -> tuple[Mapping[str, str], str]:
        """Let in whom the single sign-on sends back."""
        session, then = self._door().end(request)
        return self._cookie.keep(session), then

    def _door(self) -> SignOn:
        if self._sign_on is None:
            raise NotFound("there is no single sign-on here", hint="sign in with a password")
        return self._sign_on

    def _begun(self, name: str, *, how: str) -> Mapping[str, str]:
        with self._services.unit(_as(name), write=True) as unit:
            return self._cookie.keep(identity.start_session(unit, name, how=how))


def _as(name: str) -> Person:
    """Return who signs in, for the audit log; they may nothing yet."""
    return Person(name=name, source=Source.WEB)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
