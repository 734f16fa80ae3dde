"""How is a change of a flag sent to a webhook, so that the receiver can trust and count it?

The headers are those of the Standard Webhooks specification, for which there are libraries in most
languages: an id that is the same on every attempt, the time of this one, and an HMAC of both with
the body.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from flagstaff.definitions.side_effects import EventHook
from flagstaff.integrations.notify.answering import asked, client
from flagstaff.services.side_effects import FlagChanged

NAME: Final = "the webhook for events"
HINT: Final = "look at `side_effects: event:` in flagstaff.yml and at FLAGSTAFF_EVENT_SECRET_FILE"
PREFIX: Final = "whsec_"
TYPE: Final = "flag.changed"


def send_event(settings: EventHook, secret: str, change: FlagChanged, now: datetime) -> None:
    """Send a change; `now` is when it is sent.

    Raises:
        Unavailable: nobody answers, or the answer is "later".
        Refused: the receiver will not take it.
    """
    body = json.dumps(event_of(change), ensure_ascii=False, separators=(",", ":")).encode()
    sent = int(now.astimezone(UTC).timestamp())
    headers = {
        "content-type": "application/json",
        "idempotency-key": change.id,
        "webhook-id": change.id,
        "webhook-timestamp": str(sent),
    }
    if secret:
        headers["webhook-signature"] = signature(secret, change.id, sent, body)
    with client() as receiver:
        asked(NAME, HINT, lambda: receiver.post(settings.url, content=body, headers=headers))


def signature(secret: str, key: str, sent: int, body: bytes) -> str:
    """Return what proves that a body is from somebody who knows the secret.

    A secret that begins with `whsec_` is base64 behind that; any other is taken as it stands.
    """
    signed = f"{key}.{sent}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def event_of(change: FlagChanged) -> dict[str, Any]:
    """Return a change as receivers get it."""
    return {
        "type": TYPE,
        "timestamp": change.at.astimezone(UTC).isoformat(),
        "data": {
            "id": change.id,
            "title": change.title,
            "action": change.action,
            "flag": change.flag,
            "environment": change.environment,
            "words": change.words,
            "before": change.before,
            "after": change.after,
            "who": change.who,
            "source": change.source,
            "channel": change.channel,
            "reason": change.reason,
            "override": change.override,
            "rollout": change.rollout,
            "step": change.step,
            "rollout_issue_url": change.issue,
            "url": change.url,
        },
    }


def _key(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
