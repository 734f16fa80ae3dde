"""Has somebody signed in with this browser before?

Such a browser has tries of its own, so that strangers who guess cannot keep out those who belong
here: neither by their name, nor from an address that all of them share.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

LASTS = 31_536_000
"""Seconds."""

_APART = "."


class KnownBrowser:
    """A cookie that lets nobody in; it only says that its browser was let in once.

    Args:
        seal: returns what nobody else can make up for some words.
        secure: whether pages come by https.
    """

    def __init__(self, seal: Callable[[str], str], *, secure: bool) -> None:
        self._seal = seal
        self._name = "__Host-flagstaff-known" if secure else "flagstaff_known"
        self._flags = "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    def read(self, headers: Headers, name: str) -> str:
        """Return which browser this is, if `name` has signed in with it; else an empty text."""
        shown = cookie_parser(headers.get("cookie", "")).get(self._name, "")
        browser, _, seal = shown.partition(_APART)
        good = hmac.compare_digest(seal.encode(), self._sealed(browser, name).encode())
        return browser if browser and good else ""

    def keep(self, name: str) -> str:
        """Return the cookie that makes a browser known as one of `name`."""
        browser = secrets.token_urlsafe(12)
        value = f"{browser}{_APART}{self._sealed(browser, name)}"
        return f"{self._name}={value}; Max-Age={LASTS}; {self._flags}"

    def _sealed(self, browser: str, name: str) -> str:
        return self._seal(f"browser {browser} of {name}")
