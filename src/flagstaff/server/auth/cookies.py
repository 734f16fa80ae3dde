"""How does a browser keep its session?"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from flagstaff.services.identity import SESSION_LASTS


class SessionCookie:
    """One cookie that scripts cannot read and other sites cannot send along with a change.

    Args:
        secure: whether pages come by https; then no subdomain can put its own in its place.
    """

    def __init__(self, *, secure: bool) -> None:
        self.name = "__Host-flagstaff" if secure else "flagstaff_session"
        self._flags = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    def read(self, headers: Headers) -> str:
        """Return the session's secret that the browser sent, or an empty text."""
        return cookie_parser(headers.get("cookie", "")).get(self.name, "")

    def keep(self, secret: str) -> dict[str, str]:
        """Return the header that makes a browser keep the secret."""
        age = int(SESSION_LASTS.total_seconds())
        return {"set-cookie": f"{self.name}={secret}; Max-Age={age}; {self._flags}"}

    def drop(self) -> dict[str, str]:
        """Return the header that makes a browser forget it."""
        return {"set-cookie": f"{self.name}=; Max-Age=0; {self._flags}"}
