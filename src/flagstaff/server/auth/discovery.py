"""Where are an issuer's doors, and what are its keys? Asked rarely, and remembered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.server.auth.fetching import HINT, fetch

FRESH = 3600.0
"""Seconds for which a discovery document and keys are used without asking again."""

PAUSE = 10.0
"""Seconds after a failure in which nobody asks again: each waits in a thread of the pages."""

AT_ONCE = 2.0
"""Seconds that others wait for the answer to somebody who asks already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where an issuer wants to be asked what."""

    authorization: str
    token: str
    keys: str
    userinfo: str
    methods: tuple[str, ...]
    names_itself: bool


class Discovery:
    """Knows an issuer's doors and keys; safe from any thread.

    Args:
        issuer: its address.
        name: what people call it.
        clock: seconds that only ever grow.
    """

    def __init__(self, issuer: str, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._doors: Doors | None = None
        self._doors_at = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0
        self._failure: FlagstaffError | None = None
        self._failed_at = 0.0

    def doors(self) -> Doors:
        """Return where to ask; old news if the issuer does not answer just now.

        Raises:
            Unavailable: it does not answer, and never did.
        """
        if self._doors is None or self._clock() - self._doors_at > FRESH:
            try:
                self._asked(self._fetch_doors)
            except Unavailable:
                if self._doors is None:
                    raise
        assert self._doors is not None  # noqa: S101 it was there, or has been fetched
        return self._doors

    def keys(self, *, older_than: float | None = None) -> KeySet:
        """Return the issuer's keys, fetched after the moment `older_than` of our clock.

        Raises:
            Unavailable: it does not answer.
        """
        since = self._clock() - FRESH if older_than is None else older_than
        doors = self.doors()
        if self._keys is None or self._keys_at < since:
            self._asked(lambda: self._fetch_keys(doors.keys))
        assert self._keys is not None  # noqa: S101 it was there, or has been fetched
        return self._keys

    def now(self) -> float:
        """Return our clock's moment."""
        return self._clock()

    def _asked(self, fetch_: Callable[[], None]) -> None:
        if not self._lock.acquire(timeout=AT_ONCE):
            raise Unavailable(f"{self._name} has not answered yet", hint=HINT)
        try:
            if self._failure is not None and self._clock() - self._failed_at < PAUSE:
                raise Unavailable(self._failure.message, hint=self._failure.hint)
            self._failure = None
            try:
                fetch_()
            except Unavailable as exc:
                self._failure, self._failed_at = exc, self._clock()
                raise
        finally:
            self._lock.release()

    def _fetch_doors(self) -> None:
        if self._doors is not None and self._clock() - self._doors_at <= FRESH:
            return  # somebody else was quicker
        what = f"the discovery document of {self._name}"
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        status, found = fetch(what, "GET", url)
        if status != 200:  # noqa: PLR2004
            raise Unavailable(
                f"{what} is not there: {status} at {url}",
                hint="is FLAGSTAFF_OIDC_ISSUER the address of an OpenID Connect issuer?",
            )
        self._doors = self._read(found, what)
        self._doors_at = self._clock()

    def _read(self, found: Mapping[str, Any], what: str) -> Doors:
        named = found.get("issuer")
        if named != self._issuer:
            raise Unavailable(
                f"{what} is that of {str(named)[:200]!r}, not of {self._issuer!r}",
                hint="an admin sets FLAGSTAFF_OIDC_ISSUER to what it calls itself, if that is the "
                "one that was meant",
            )
        methods = found.get("token_endpoint_auth_methods_supported")
        return Doors(
            authorization=self._door(found, "authorization_endpoint", what),
            token=self._door(found, "token_endpoint", what),
            keys=self._door(found, "jwks_uri", what),
            userinfo=self._door(found, "userinfo_endpoint", what)
            if "userinfo_endpoint" in found
            else "",
            methods=tuple(map(str, methods))
            if isinstance(methods, list)
            else ("client_secret_basic",),
            names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        )

    def _door(self, found: Mapping[str, Any], key: str, what: str) -> str:
        url = found.get(key)
        scheme = urlsplit(self._issuer).scheme
        usable = isinstance(url, str) and is_web_address(url) and "#" not in url
        if (
            not isinstance(url, str)
            or not usable
            or (scheme == "https" and urlsplit(url).scheme != "https")
        ):
            raise Unavailable(
                f"{what} has no usable {key}", hint="it has to be an https address there"
            )
        return url

    def _fetch_keys(self, url: str) -> None:
        what = f"the key set of {self._name}"
        asked_at = self._clock()
        status, found = fetch(what, "GET", url)
        listed = found.get("keys")
        if status != 200 or not isinstance(listed, list):  # noqa: PLR2004
            raise Unavailable(f"{what} is not there: {status}", hint=HINT)
        self._keys = KeySet(_usable(listed))
        self._keys_at = asked_at


def _usable(listed: list[Any]) -> list[Key]:
    """Return the public keys for signatures that we understand; others may be there as well."""
    found = []
    for each in listed:
        if isinstance(each, dict) and each.get("kty") in {"RSA", "EC", "OKP"}:
            with suppress(JoseError, ValueError, TypeError, KeyError):
                found.append(import_key(each))
    return [each for each in found if each.get("use") in {None, "sig"}]
