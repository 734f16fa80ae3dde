"""Who has an account?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select, update

from flagstaff.commands.roles import Roles, parse_roles, role_texts
from flagstaff.store.tables import person as table
from flagstaff.store.upsert import insert_new


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person.

    Attributes:
        email: how a single sign-on knows them before they have used it; empty if it does not.
        password: the argon2 hash, empty before they have set one.
        subject: who they are at the single sign-on, once they have used it.
        follows_groups: whether the single sign-on made the account, so that at each sign-in its
            roles become those of the person's groups.
    """

    name: str
    roles: Roles
    email: str = ""
    password: str = ""
    subject: str = ""
    follows_groups: bool = False
    created_at: datetime
    created_by: str


def add(connection: Connection, account: Account) -> None:
    """Add an account; there must be none with this name."""
    connection.execute(insert(table).values(**_row(account)))


def add_new(connection: Connection, account: Account) -> bool:
    """Add an account unless there is one with its name; return whether there was none."""
    return insert_new(connection, table, _row(account))


def get(connection: Connection, name: str, *, lock: bool = False) -> Account | None:
    """Return the account with this name; `lock` keeps others from changing it meanwhile."""
    query = select(table).where(table.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return _account(row) if row else None


def find(
    connection: Connection, *, subject: str | None = None, email: str | None = None
) -> list[Account]:
    """Return accounts by name: all, or those with this subject or this address."""
    query = select(table).order_by(table.c.name)
    if subject is not None:
        query = query.where(table.c.subject == subject)
    if email is not None:
        query = query.where(table.c.email == email)
    return [_account(row) for row in connection.execute(query)]


def exists(connection: Connection) -> bool:
    """Return whether anybody has an account."""
    return connection.execute(select(table.c.name).limit(1)).first() is not None


def set_roles(connection: Connection, name: str, roles: Roles) -> None:
    """Write what somebody may do."""
    _update(connection, name, roles=list(role_texts(roles)))


def stop_following_groups(connection: Connection, name: str) -> None:
    """Write that somebody's roles are settled here from now on."""
    _update(connection, name, follows_groups=False)


def set_password(connection: Connection, name: str, hashed: str) -> None:
    """Write the hash of somebody's password."""
    _update(connection, name, password=hashed)


def set_subject(connection: Connection, name: str, subject: str) -> None:
    """Write who somebody is at the single sign-on."""
    _update(connection, name, subject=subject)


def remove(connection: Connection, name: str) -> None:
    """Remove an account."""
    connection.execute(delete(table).where(table.c.name == name))


def _update(connection: Connection, name: str, **values: object) -> None:
    connection.execute(update(table).where(table.c.name == name).values(**values))


def _row(account: Account) -> dict[str, object]:
    return {**asdict(account), "roles": list(role_texts(account.roles))}


def _account(row: Row[tuple[object, ...]]) -> Account:
    values = dict(row._mapping)  # noqa: SLF001 SQLAlchemy's public way to a row's names
    return Account(**{**values, "roles": parse_roles(values["roles"])})
