"""Is what comes back from Mattermost what we once sent there?

Mattermost signs nothing. But what a button carries never leaves its server, so a seal on that can
come from nobody else. What a form carries does reach the one who opened it; so it names that person
and is good for a while only: whoever reads it can do with it what they could do anyway.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flagstaff.errors import Refused

LASTS: Final = timedelta(minutes=30)
"""How long a form may stay open."""

FORGED: Final = "this is not from a message of ours"


class Seal:
    """Seals with a key made of the bot's token, which all servers of a database share."""

    def __init__(self, token: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._key = hashlib.sha256(f"flagstaff mattermost\n{token}".encode()).digest()
        self._now = now

    def button(self, action: str, rollout: int, step: str = "") -> dict[str, Any]:
        """Return what a button carries."""
        told = {"action": action, "rollout": rollout, "step": step}
        return {**told, "seal": self._mac("button", told)}

    def opened(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a button carried.

        Raises:
            Refused: it is not ours.
        """
        told = {name: context.get(name) for name in ("action", "rollout", "step")}
        seal = str(context.get("seal", ""))
        if not hmac.compare_digest(seal.encode(), self._mac("button", told).encode()):
            raise Refused(FORGED)
        return told

    def form(self, told: Mapping[str, Any]) -> str:
        """Return what a form carries for the person that it names as `user`."""
        ends = (self._now() + LASTS).timestamp()
        body = json.dumps({**told, "ends": ends}, sort_keys=True, separators=(",", ":"))
        text = base64.urlsafe_b64encode(body.encode()).decode()
        return f"{text}.{self._mac('form', text)}"

    def filled(self, state: str, user: str) -> dict[str, Any]:
        """Return what a form carried that was sent by `user`.

        Raises:
            Refused: it is not ours, was another person's, or was open too long.
        """
        text, _, seal = state.partition(".")
        if not hmac.compare_digest(seal.encode(), self._mac("form", text).encode()):
            raise Refused(FORGED)
        try:
            told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text))
        except (ValueError, binascii.Error) as exc:
            raise Refused(FORGED) from exc
        if told["user"] != user:
            raise Refused("this form was opened by somebody else")
        if self._now().timestamp() > told["ends"]:
            raise Refused("this form was open for too long", hint="click again")
        return told

    def _mac(self, kind: str, told: object) -> str:
        body = json.dumps([kind, told], sort_keys=True).encode()
        return hmac.new(self._key, body, hashlib.sha256).hexdigest()
