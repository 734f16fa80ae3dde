"""Whose is this secret, and how does somebody sign in?

Passwords are hashed and compared by the server; here only hashes are kept.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flagstaff.commands.roles import Roles, lesser
from flagstaff.errors import NotFound, Unavailable
from flagstaff.services.people import PEOPLE
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.secret import hashed, new_secret
from flagstaff.services.services import Services
from flagstaff.services.unit import Unit
from flagstaff.store import credentials, people
from flagstaff.store import settings as store_settings
from flagstaff.store.credentials import Credential, Kind

SESSION_LASTS: Final = timedelta(hours=12)
USE_IS_NEWS: Final = timedelta(minutes=10)
"""How old the note of a token's last use gets before it is written again."""

_SEAL = "seal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody with a good secret is; `expires_at` is when the secret ends."""

    name: str
    account: str
    roles: Roles
    expires_at: datetime | None

    def person(self, source: Source) -> Person:
        """Return the person, by the way they came in."""
        return Person(name=self.name, source=source, roles=self.roles, account=self.account)


def token_owner(services: Services, secret: str) -> Identity | None:
    """Return for whom a token speaks, and note that it was used.

    Raises:
        Unavailable: the database does not answer.
    """
    hash_ = hashed(secret)
    found = services.ask(lambda unit: _owner(unit, hash_, Kind.TOKEN), ENGINE)
    if found is None:
        return None
    identity, used_at = found
    now = services.clock.wall(services.clock.now())
    if used_at is None or used_at + USE_IS_NEWS < now:
        with suppress(Unavailable), services.unit(ENGINE, write=True) as unit:
            credentials.used(unit.connection, hash_, now)
    return identity


def session_owner(services: Services, secret: str) -> Identity | None:
    """Return who has signed in with this session.

    Raises:
        Unavailable: the database does not answer.
    """
    found = services.ask(lambda unit: _owner(unit, hashed(secret), Kind.SESSION), ENGINE)
    return found[0] if found else None


def stored_password(unit: Unit, name: str) -> str:
    """Return the hash of somebody's password, empty when there is none."""
    account = people.get(unit.connection, name)
    return account.password if account else ""


def invited(unit: Unit, secret: str) -> str:
    """Return who may set a password with this link.

    Raises:
        NotFound: the link was used, has expired, or never was.
    """
    found = credentials.get(unit.connection, hashed(secret), Kind.SETUP)
    if found is None or found.over(unit.wall) or people.get(unit.connection, found.person) is None:
        raise NotFound(
            "this link is no longer good: it works once, and for two days",
            hint="ask an admin for a new one: flagstaff person invite NAME",
        )
    return found.person


def set_password(unit: Unit, secret: str, password: str) -> str:
    """Keep the hash of a new password, use the link up, end all sessions; return whose it is.

    Raises:
        NotFound: the link was used, has expired, or never was.
    """
    credentials.get(unit.connection, hashed(secret), Kind.SETUP, lock=True)
    name = invited(unit, secret)
    people.set_password(unit.connection, name, password)
    credentials.remove_of(unit.connection, name, Kind.SETUP, Kind.SESSION)
    unit.changed.add(PEOPLE)
    unit.record("person.password", text=f"{name} set a password")
    return name


def change_password(unit: Unit, name: str, password: str) -> None:
    """Keep the hash of a new password of somebody who knew the old one, and end all sessions."""
    people.set_password(unit.connection, name, password)
    credentials.remove_of(unit.connection, name, Kind.SETUP, Kind.SESSION)
    unit.changed.add(PEOPLE)
    unit.record("person.password", text=f"{name} changed the password")


def end_sessions(unit: Unit, name: str) -> None:
    """Sign somebody out wherever they are signed in."""
    credentials.remove_of(unit.connection, name, Kind.SESSION)
    unit.changed.add(PEOPLE)
    unit.record("person.sign_out", text=f"{name} signed out everywhere")


def start_session(unit: Unit, name: str, *, how: str) -> str:
    """Let somebody in until `SESSION_LASTS` is over; return the session's secret.

    Raises:
        NotFound: their account has just been removed.
    """
    if people.get(unit.connection, name, lock=True) is None:
        raise NotFound(f"{name} has no account any more", hint="ask an admin for a new one")
    credentials.remove_expired(unit.connection, unit.wall)
    secret = new_secret()
    credentials.add(
        unit.connection,
        Credential(
            hash=hashed(secret),
            kind=Kind.SESSION,
            person=name,
            created_at=unit.wall,
            created_by=name,
            expires_at=unit.wall + SESSION_LASTS,
        ),
    )
    unit.record("person.sign_in", text=f"{name} signed in with {how}")
    return secret


def end_session(unit: Unit, secret: str) -> None:
    """Sign somebody out."""
    credentials.remove(unit.connection, hashed(secret))
    unit.changed.add(PEOPLE)


def seal_key(services: Services) -> str:
    """Return the secret with which every server on this database seals what it gives out."""
    with services.unit(ENGINE, write=True) as unit:
        store_settings.put_new(unit.connection, _SEAL, new_secret())
        return str(store_settings.get(unit.connection, _SEAL))


def _owner(unit: Unit, hash_: str, kind: Kind) -> tuple[Identity, datetime | None] | None:
    found = credentials.get(unit.connection, hash_, kind)
    if found is None or found.over(unit.wall):
        return None
    roles, name = found.roles or {}, f"token:{found.label}"
    if found.person:
        account = people.get(unit.connection, found.person)
        if account is None:
            return None
        name = account.name
        roles = account.roles if found.roles is None else lesser(found.roles, account.roles)
    identity = Identity(name=name, account=found.person, roles=roles, expires_at=found.expires_at)
    return identity, found.used_at
