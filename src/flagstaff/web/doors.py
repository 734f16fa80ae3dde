"""How does somebody sign in and out? What the pages need; the server does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response


class Doors(Protocol):
    """The ways in and out of the pages."""

    @property
    def sign_on(self) -> str:
        """Return the name of the single sign-on, empty when there is none."""
        ...

    def sign_in(self, request: Request, name: str, password: str) -> Mapping[str, str]:
        """Return the headers that let the browser in from now on.

        Raises:
            Refused: name or password is wrong, or there were too many tries.
        """
        ...

    def sign_out(self, request: Request) -> Mapping[str, str]:
        """End the session; return the headers that make the browser forget it."""
        ...

    def change_password(self, request: Request, name: str, old: str, new: str) -> Mapping[str, str]:
        """Set a new password; end all sessions, and return the headers that begin a new one.

        Raises:
            Refused: the old one is wrong.
            Throttled: there were too many tries.
            UsageError: the new one is too short or too long.
        """
        ...

    def sign_out_everywhere(self, name: str) -> Mapping[str, str]:
        """End all sessions of somebody; return the headers that make this browser forget its."""
        ...

    def invited(self, secret: str) -> str:
        """Return who may set a password with a link.

        Raises:
            NotFound: the link is no longer good.
        """
        ...

    def set_password(self, request: Request, secret: str, password: str) -> Mapping[str, str]:
        """Set a password and sign in; return the headers that let the browser in.

        Raises:
            NotFound: the link is no longer good.
            UsageError: the password is too short or too long.
        """
        ...

    def begin_sign_on(self, request: Request, then: str) -> Response:
        """Send the browser to the single sign-on.

        Raises:
            NotFound: there is none.
            Throttled: too often from there.
            Unavailable: it does not answer.
        """
        ...

    def end_sign_on(self, request: Request) -> tuple[Mapping[str, str], str]:
        """Let in whom the single sign-on sends back; return the headers, and where they wanted to.

        Raises:
            NotFound: they did not leave from here, or too long ago.
            Refused: it does not know them, or nobody here does.
            Unavailable: it does not answer.
        """
        ...
