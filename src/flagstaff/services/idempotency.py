"""Has this very request been carried out before?

A key belongs to the person who asks. It is taken in the transaction that does the work, so a
request that failed has taken none, and of two at the same time one waits for the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

from flagstaff.commands.access_model import AddPerson, CreateToken, InvitePerson
from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import Command
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import KeyReused, UsageError
from flagstaff.services.unit import Unit
from flagstaff.store import request_keys as store
from flagstaff.store.request_keys import RequestKey

KEPT_FOR = timedelta(hours=24)
LONGEST = 255
TELL_SECRETS = (AddPerson, CreateToken, InvitePerson)
"""What is answered with a secret that nobody may read a second time."""


def request_key(unit: Unit, key: str, commands: Sequence[Command]) -> RequestKey:
    """Return the key of a request with what it asks for.

    Raises:
        UsageError: the key is too long, or not made of visible ASCII characters; or the answer
            would be a secret.
    """
    if len(key) > LONGEST or not key.isascii() or not key.isprintable():
        raise UsageError(
            f"{key[:40]!r} is no idempotency key",
            hint=f"make a new UUID for every request; {LONGEST} characters are the most",
        )
    if any(isinstance(each, TELL_SECRETS) for each in commands):
        raise UsageError(
            "an answer that holds a secret is not kept, so this cannot have an idempotency key",
            hint="ask without a key; what was made twice can be revoked",
        )
    asked = json.dumps([encode_command(each) for each in commands], sort_keys=True)
    digest = hashlib.sha256(asked.encode()).hexdigest()
    return RequestKey(who=unit.by.name, key=key, digest=digest, at=unit.now)


def recall(unit: Unit, asked: RequestKey) -> list[Outcome] | None:
    """Return what the same request was answered before, or take the key and return `None`.

    Raises:
        KeyReused: it was another request.
    """
    expired = unit.now - KEPT_FOR
    store.forget(unit.connection, expired)
    before = store.claim(unit.connection, asked, expired=expired)
    if before is None:
        return None
    if before.digest != asked.digest:
        raise KeyReused(
            f"the idempotency key {asked.key} came before, with another request",
            hint="make a new key for every new request; repeat one only to ask the same again",
        )
    return [
        Outcome(
            ok=each["ok"],
            text=each["text"],
            next=each["next"],
            data=each["data"],
            replayed=True,
        )
        for each in before.answer
    ]


def keep(unit: Unit, asked: RequestKey, outcomes: Sequence[Outcome]) -> None:
    """Keep what is answered, for whoever asks the same again."""
    answer = [
        {"ok": each.ok, "text": each.text, "next": each.next, "data": dict(each.data)}
        for each in outcomes
    ]
    store.keep(unit.connection, asked, answer)
