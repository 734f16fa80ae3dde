"""Who writes in chat, and what was posted there?"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Final

from flagstaff.services.chat_linking import ChatUser
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.secret import hashed, new_secret
from flagstaff.services.services import Services
from flagstaff.services.unit import Unit
from flagstaff.store import chat_messages, credentials, people
from flagstaff.store.chat_messages import ChatMessage
from flagstaff.store.credentials import Credential, Kind

__all__ = ["ChatMessage", "first_seen", "offer", "person_of", "posted", "remember"]

CODE_LASTS: Final = timedelta(minutes=15)
REPLAY_LASTS: Final = timedelta(minutes=15)
"""Longer than any signature is good."""


def first_seen(services: Services, request: str) -> bool:
    """Return whether a signed request comes for the first time, to any server on this database."""
    with services.unit(ENGINE, write=True) as unit:
        credentials.remove_expired(unit.connection, unit.wall)
        seen = Credential(
            hash=hashed(request),
            kind=Kind.REQUEST,
            created_at=unit.wall,
            created_by=ENGINE.name,
            expires_at=unit.wall + REPLAY_LASTS,
        )
        return credentials.add_new(unit.connection, seen)


def offer(services: Services, user: ChatUser) -> str:
    """Return a new code for a chat user, good once and for a quarter of an hour."""
    code = new_secret()
    with services.unit(ENGINE, write=True) as unit:
        credentials.add(
            unit.connection,
            Credential(
                hash=hashed(code),
                kind=Kind.CHAT_LINK,
                label=user.label[:255],
                details=asdict(user),
                created_at=unit.wall,
                created_by=ENGINE.name,
                expires_at=unit.wall + CODE_LASTS,
            ),
        )
    return code


def person_of(services: Services, user: ChatUser, channel: str) -> Person | None:
    """Return as whom a chat user acts, if they are linked to an account."""

    def question(unit: Unit) -> Person | None:
        found = credentials.get(unit.connection, user.hash, Kind.CHAT)
        account = people.get(unit.connection, found.person) if found else None
        if account is None:
            return None
        return Person(
            name=account.name,
            source=Source.CHAT,
            channel=channel,
            roles=account.roles,
            account=account.name,
        )

    return services.ask(question, ENGINE)


def posted(services: Services, key: str) -> ChatMessage | None:
    """Return the message of ours about `key`, if one is known."""
    return services.ask(lambda unit: chat_messages.get(unit.connection, key), ENGINE)


def remember(services: Services, key: str, *, channel: str, ts: str, digest: str = "") -> None:
    """Remember where a message of ours is, and how it reads."""
    with services.unit(ENGINE, write=True) as unit:
        message = ChatMessage(key=key, channel=channel, ts=ts, digest=digest, at=unit.wall)
        chat_messages.put(unit.connection, message)
