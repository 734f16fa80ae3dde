"""How does a browser keep what only it shall know?"""

from __future__ import annotations

from datetime import timedelta

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from flagstaff.services.identity import SESSION_LASTS
from flagstaff.services.sign_on import SIGN_ON_LASTS


class _Cookie:
    """One cookie that scripts cannot read and other sites cannot send along with a change.

    Args:
        secure: whether pages come by https; then no subdomain can put its own in its place.
    """

    def __init__(self, *, name: str, lasts: timedelta, secure: bool) -> None:
        self.name = name
        self._age = int(lasts.total_seconds())
        self._flags = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    def read(self, headers: Headers) -> str:
        """Return the secret that the browser sent, or an empty text."""
        return cookie_parser(headers.get("cookie", "")).get(self.name, "")

    def keep(self, secret: str) -> dict[str, str]:
        """Return the header that makes a browser keep the secret."""
        return {"set-cookie": f"{self.name}={secret}; Max-Age={self._age}; {self._flags}"}

    def drop(self) -> dict[str, str]:
        """Return the header that makes a browser forget it."""
        return {"set-cookie": f"{self.name}=; Max-Age=0; {self._flags}"}


class SessionCookie(_Cookie):
    """Keeps the session of whoever has signed in."""

    def __init__(self, *, secure: bool) -> None:
        name = "__Host-flagstaff" if secure else "flagstaff_session"
        super().__init__(name=name, lasts=SESSION_LASTS, secure=secure)


class SignOnCookie(_Cookie):
    """Ties a half-done single sign-on to the browser that began it."""

    def __init__(self, *, secure: bool) -> None:
        name = "__Host-flagstaff-sign-on" if secure else "flagstaff_sign_on"
        super().__init__(name=name, lasts=SIGN_ON_LASTS, secure=secure)
