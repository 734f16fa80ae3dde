"""Which secrets let somebody in? Only their hashes are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from flagstaff.commands.roles import Roles, parse_roles, role_texts
from flagstaff.store.tables import credential as table
from flagstaff.store.upsert import insert_new


class Kind(StrEnum):
    """What a secret is for."""

    TOKEN = "token"  # noqa: S105 a kind's name
    SESSION = "session"
    SETUP = "setup"
    SIGN_ON = "sign-on"
    CHAT = "chat"
    CHAT_LINK = "chat-link"
    REQUEST = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One secret.

    Attributes:
        hash: the SHA-256 of the secret; its beginning is the number that people see.
        person: whose it is; empty for a machine's token.
        label: what it is called by whoever made it.
        roles: what it allows at most; None is all that the person may.
        details: what else has to be remembered with it.
        expires_at: real time; None is never.
        used_at: roughly when it was used last.
    """

    hash: str
    kind: Kind
    person: str = ""
    label: str = ""
    roles: Roles | None = None
    details: Mapping[str, Any] | None = None
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    used_at: datetime | None = None

    def over(self, now: datetime) -> bool:
        """Return whether it has expired."""
        return self.expires_at is not None and self.expires_at <= now


def add_new(connection: Connection, credential: Credential) -> bool:
    """Keep a secret without roles unless it is there; return whether it was not."""
    return insert_new(connection, table, {**asdict(credential), "roles": None})


def add(connection: Connection, credential: Credential) -> None:
    """Keep a secret."""
    values = asdict(credential)
    roles = credential.roles
    values["roles"] = list(role_texts(roles)) if roles is not None else None
    connection.execute(insert(table).values(values))


def get(
    connection: Connection, hashed: str, kind: Kind, *, lock: bool = False
) -> Credential | None:
    """Return the secret with this hash, if it is of this kind."""
    query = select(table).where(table.c.hash == hashed, table.c.kind == kind)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return _credential(row) if row else None


def find(
    connection: Connection, kind: Kind, *, person: str | None = None, number: str = ""
) -> list[Credential]:
    """Return the secrets of one kind, oldest first: of one person, or that begin so."""
    query = select(table).where(table.c.kind == kind).order_by(table.c.created_at, table.c.hash)
    if person is not None:
        query = query.where(table.c.person == person)
    if number:
        query = query.where(table.c.hash.startswith(number, autoescape=True))
    return [_credential(row) for row in connection.execute(query)]


def used(connection: Connection, hashed: str, at: datetime) -> None:
    """Note when a secret was used."""
    connection.execute(update(table).where(table.c.hash == hashed).values(used_at=at))


def remove(connection: Connection, hashed: str) -> bool:
    """End one secret; return whether it was there."""
    return _removed(connection, table.c.hash == hashed)


def remove_of(connection: Connection, person: str, *kinds: Kind) -> bool:
    """End somebody's secrets of these kinds, or all; return whether there were any."""
    condition = table.c.person == person
    return _removed(connection, condition & table.c.kind.in_(kinds) if kinds else condition)


def remove_expired(connection: Connection, now: datetime) -> None:
    """Forget sessions, links and half-done sign-ons that are over; tokens stay in the list."""
    _removed(connection, (table.c.expires_at <= now) & (table.c.kind != Kind.TOKEN))


def _removed(connection: Connection, condition: ColumnElement[bool]) -> bool:
    return bool(connection.execute(delete(table).where(condition)).rowcount)


def _credential(row: Row[tuple[object, ...]]) -> Credential:
    values = dict(row._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row's names
    roles = values["roles"]
    return Credential(
        **{
            **values,
            "kind": Kind(values["kind"]),
            "roles": parse_roles(roles) if roles is not None else None,
        }
    )
