"""What do issues on forges need of the database?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flagstaff.definitions.forges import Forge
from flagstaff.services import running
from flagstaff.services.chat_linking import ChatUser
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.running import RolloutRecord
from flagstaff.services.secret import hashed
from flagstaff.services.unit import Unit
from flagstaff.store import audit, credentials, forge_notes, people
from flagstaff.store import rollouts as store
from flagstaff.store.audit import AuditEntry, Search
from flagstaff.store.credentials import Credential, Kind
from flagstaff.store.forge_notes import ForgeNote

__all__ = ["AuditEntry", "ForgeNote", "RolloutRecord"]

MOST_CHANGES: Final = 50
"""Changes that are noted at one look; the others follow at the next."""

SEEN_FOR: Final = timedelta(hours=2)
"""How long a webhook is remembered; longer than one is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A rollout with its issue; `own` says that it is the newest one of that issue."""

    record: RolloutRecord
    own: bool


def forge_user(forge: Forge, name: str) -> ChatUser:
    """Return a user of a forge as they are linked to somebody; names have no capital letters."""
    plain = name.lower().removeprefix("@")
    return ChatUser(platform=forge.kind.value, team=forge.url.lower(), id=plain, name=plain)


def followed(unit: Unit, number: int) -> Followed:
    """Return a rollout and whether its issue follows it.

    Raises:
        NotFound: there is none with this number.
    """
    record = running.find(unit, number)
    return Followed(record=record, own=running.owns_issue(unit, record))


def rollout_of(unit: Unit, address: str) -> RolloutRecord | None:
    """Return the rollout of an issue that is not over, if there is one."""
    number = store.of_issue(unit.connection, address)
    return running.find(unit, number) if number is not None else None


def changes_since(unit: Unit, record: RolloutRecord, entry: int) -> list[AuditEntry]:
    """Return the changes of the rollout's flag in production after an entry, oldest first.

    Those by other people count too, from the moment on in which the rollout was made.
    """
    plan = record.rollout.plan
    found = [
        each
        for environment in plan.production
        for each in audit.search(
            unit.connection,
            Search(
                flag=plan.flag,
                environment=environment,
                action="flag",
                since=record.created_at,
                above=entry,
            ),
            limit=MOST_CHANGES,
        )
    ]
    return sorted(found, key=lambda each: each.id)


def noted(unit: Unit, key: str) -> ForgeNote | None:
    """Return what is known of something of ours at an issue."""
    return forge_notes.get(unit.connection, key)


def note(unit: Unit, key: str, issue: str, *, comment: str = "", digest: str = "") -> None:
    """Remember something of ours at an issue."""
    forge_notes.put(
        unit.connection,
        ForgeNote(key=key, issue=issue, note=comment, digest=digest, at=unit.wall),
    )


def person_of(unit: Unit, forge: Forge, name: str) -> Person | None:
    """Return as whom a user of a forge acts, if they are linked to an account."""
    found = credentials.get(unit.connection, forge_user(forge, name).hash, Kind.CHAT)
    account = people.get(unit.connection, found.person) if found else None
    if account is None:
        return None
    return Person(name=account.name, source=Source.ISSUE, roles=account.roles, account=account.name)


def forge_name_of(unit: Unit, by: Person, forge: Forge) -> str:
    """Return what a person is called on a forge, empty when they are not linked."""
    if not by.account:
        return ""
    for each in credentials.find(unit.connection, Kind.CHAT, person=by.account):
        details = each.details or {}
        if details.get("platform") == forge.kind and details.get("team") == forge.url.lower():
            return str(details.get("id", ""))
    return ""


def first_seen(unit: Unit, request: str) -> bool:
    """Return whether a webhook comes for the first time, to any server on this database."""
    credentials.remove_expired(unit.connection, unit.wall)
    seen = Credential(
        hash=hashed(request),
        kind=Kind.REQUEST,
        created_at=unit.wall,
        created_by=ENGINE.name,
        expires_at=unit.wall + SEEN_FOR,
    )
    return credentials.add_new(unit.connection, seen)


def digest_of(text: str) -> str:
    """Return what stands for how something reads."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
