"""Does a request come from Slack, now, and for the first time?"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Final

from flagstaff.errors import Refused

VERSION: Final = "v0"
WINDOW: Final = 300
"""Seconds by which a request's time may differ from ours."""


class Signatures:
    """Knows the signing secret.

    Args:
        secret: what Slack signs with.
        first_seen: whether a signature comes for the first time.
        now: seconds since 1970.
    """

    def __init__(
        self, secret: str, first_seen: Callable[[str], bool], now: Callable[[], float] = time.time
    ) -> None:
        self._secret = secret.encode()
        self._first_seen = first_seen
        self._now = now

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Let a request pass that Slack has just signed.

        Raises:
            Refused: it is forged, old, or was here before.
        """
        stamp = headers.get("x-slack-request-timestamp", "")
        given = headers.get("x-slack-signature", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 20 and given.isascii()):  # noqa: PLR2004
            raise Refused("the request is not signed as Slack signs")
        if not hmac.compare_digest(given, self.sign(stamp, body)):
            raise Refused(
                "the signature is not Slack's",
                hint="compare the file of FLAGSTAFF_SLACK_SIGNING_SECRET_FILE with the app's page",
            )
        if abs(self._now() - int(stamp)) > WINDOW:
            raise Refused("the request is too old", hint="set this machine's clock, if it is not")
        if not self._first_seen(f"slack\n{given}"):
            raise Refused("the request was here before")

    def sign(self, stamp: str, body: bytes) -> str:
        """Return the signature of a body at a time."""
        text = f"{VERSION}:{stamp}:".encode() + body
        return f"{VERSION}={hmac.new(self._secret, text, hashlib.sha256).hexdigest()}"
