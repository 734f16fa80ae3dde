"""Who has an account, and what may they do?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from flagstaff.commands.access_model import (
    AddPerson,
    InvitePerson,
    ListPeople,
    RemovePerson,
    SetRoles,
)
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.commands.roles import EVERYWHERE, Role, Roles, parse_roles, role_texts
from flagstaff.errors import Conflict, NotFound, UsageError
from flagstaff.services.secret import hashed, new_secret
from flagstaff.services.unit import Unit
from flagstaff.store import credentials, people
from flagstaff.store.credentials import Credential, Kind
from flagstaff.store.people import Account

PEOPLE = "people"
"""What listeners hear when an account, a token or a session has changed."""

LINK_LASTS = timedelta(days=2)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,99}")
"""What accounts are called."""

_EMAIL = re.compile(r"[^@\s]{1,100}@[^@\s]{1,150}")


def add_person(unit: Unit, command: AddPerson) -> Outcome:
    """Add an account, with a link to set its password."""
    if not NAME.fullmatch(command.name):
        raise UsageError(
            f"{command.name[:60]!r} is no name of a person",
            hint="write letters, digits and . _ - + @, such as ada or ada@example.com",
        )
    if command.email and not _EMAIL.fullmatch(command.email):
        raise UsageError(f"{command.email[:60]!r} is no e-mail address")
    if people.get(unit.connection, command.name) is not None:
        raise Conflict(
            f"{command.name} has an account already",
            hint=f"flagstaff person roles {command.name} …, or a new link: "
            f"flagstaff person invite {command.name}",
        )
    email = command.email.lower()
    if email and (same := people.find(unit.connection, email=email)):
        raise Conflict(
            f"{email} is the address of {same[0].name} already",
            hint="by its address a single sign-on knows whose account it is, so there is one each",
        )
    roles = checked_roles(unit, command.roles)
    if not _owner(roles) and not people.exists(unit.connection):
        raise Conflict(
            "the first account has to be an admin's: once there is one, pages ask who is there",
            hint=f"flagstaff person add {command.name} --role admin",
        )
    account = Account(
        name=command.name,
        email=email,
        roles=roles,
        created_at=unit.now,
        created_by=unit.by.name,
    )
    people.add(unit.connection, account)
    _note(unit, "person.add", f"{account.name} added as {_words(roles)}")
    return _invited(unit, account)


def set_roles(unit: Unit, command: SetRoles) -> Outcome:
    """Change what somebody may do."""
    account = _found(unit, command.name)
    roles = checked_roles(unit, command.roles)
    if _owner(account.roles) and not _owner(roles):
        _keep_an_owner(unit, account.name)
    people.set_roles(unit.connection, account.name, roles)
    was, now = _words(account.roles), _words(roles)
    if account.follows_groups:
        people.stop_following_groups(unit.connection, account.name)
        now += ", and no longer follows their groups"
    _note(unit, "person.roles", f"{account.name} is {now}, was {was}")
    return Outcome(text=f"{account.name} is {now} (was {was})", data=_json(account, roles))


def invite(unit: Unit, command: InvitePerson) -> Outcome:
    """Give a new link to set a password."""
    account = _found(unit, command.name)
    if account.follows_groups:
        raise Conflict(
            f"{account.name} signs in by single sign-on, with the roles of their groups; with a "
            "password they would keep roles that their groups have lost",
            hint=f"settle the roles here first: flagstaff person roles {account.name} --role …",
        )
    _note(unit, "person.invite", f"a new link for {account.name} to set a password")
    return _invited(unit, account)


def remove_person(unit: Unit, command: RemovePerson) -> Outcome:
    """Close an account, and end all that lets it in."""
    account = _found(unit, command.name)
    if _owner(account.roles):
        _keep_an_owner(unit, account.name)
    tokens = len(credentials.find(unit.connection, Kind.TOKEN, person=account.name))
    credentials.remove_of(unit.connection, account.name)
    people.remove(unit.connection, account.name)
    _note(unit, "person.remove", f"{account.name} removed, with {tokens} tokens", command.reason)
    return Outcome(
        text=f"{account.name} is removed; sessions and {tokens} tokens have ended",
        data={"name": account.name, "tokens": tokens},
        next="take them out of their groups as well, or their next single sign-on adds them again"
        if account.follows_groups
        else "",
    )


def list_people(unit: Unit, _: ListPeople) -> Outcome:
    """Say who has an account."""
    found = people.find(unit.connection)
    lines = [f"{each.name}: {_words(each.roles)}{_state(each)}" for each in found]
    return Outcome(
        text="\n".join(lines) or "nobody has an account; whoever sits at this machine may do all",
        data={"people": [_json(_shown(unit, each), each.roles) for each in found]},
        next="" if found else "flagstaff person add NAME --role admin",
    )


def has_owner(unit: Unit, *, issuer: str = "") -> bool:
    """Return whether somebody who may do everything can sign in, also at a single sign-on.

    Whoever is admin by their groups is not looked at: they are as long as the groups say so.
    """
    found = people.find(unit.connection)
    return any(_owner(each.roles) and _can_sign_in(each, issuer) for each in found)


def anybody(unit: Unit) -> bool:
    """Return whether anybody has an account, so that pages want to know who is there."""
    return people.exists(unit.connection)


def checked_roles(unit: Unit, texts: tuple[str, ...]) -> Roles:
    """Return the roles, which must be some, in environments of this project.

    Raises:
        UsageError: there are none, or one is wrong.
    """
    roles = parse_roles(texts)
    if not roles:
        raise UsageError(
            "no role is given",
            hint=f"add --role with one of {', '.join(Role)}, or such as operator@staging",
        )
    places = tuple(each for each in roles if each != EVERYWHERE)
    if places:
        unit.context.check_environments(places)
    for place, role in roles.items():
        if role is Role.ADMIN and place != EVERYWHERE:
            raise UsageError(
                f"an admin of {place} alone cannot be: accounts are the same everywhere",
                hint=f"give maintainer@{place}, or admin",
            )
    return roles


def _found(unit: Unit, name: str) -> Account:
    account = people.get(unit.connection, name, lock=True)
    if account is None:
        raise NotFound(f"nobody called {name[:100]} has an account", hint="flagstaff person list")
    return account


def _can_sign_in(account: Account, issuer: str) -> bool:
    if account.password:
        return True
    known = bool(account.email) or account.subject.startswith(f"{issuer}|")
    return bool(issuer) and not account.follows_groups and known


def _owner(roles: Roles) -> bool:
    return roles.get(EVERYWHERE) is Role.ADMIN


def _keep_an_owner(unit: Unit, but: str) -> None:
    others = [each for each in people.find(unit.connection) if each.name != but]
    if others and not any(_owner(each.roles) for each in others):
        raise Conflict(
            f"{but} is the only admin; without one nobody could change accounts any more",
            hint="make somebody else an admin first",
        )


def _invited(unit: Unit, account: Account) -> Outcome:
    credentials.remove_of(unit.connection, account.name, Kind.SETUP)
    secret = new_secret()
    expires = unit.wall + LINK_LASTS
    credentials.add(
        unit.connection,
        Credential(
            hash=hashed(secret),
            kind=Kind.SETUP,
            person=account.name,
            created_at=unit.wall,
            created_by=unit.by.name,
            expires_at=expires,
        ),
    )
    link = unit.once(f"{unit.context.address()}/setup/{secret}")
    return Outcome(
        text=f"{account.name} is {_words(account.roles)}\n"
        f"to set a password, once, until {expires:%Y-%m-%d %H:%M} UTC: {link}",
        data={**_json(account, account.roles), "link": link},
    )


def _note(unit: Unit, action: str, text: str, reason: str = "") -> None:
    unit.changed.add(PEOPLE)
    unit.record(action, text=text, reason=reason)


def _words(roles: Roles) -> str:
    return ", ".join(role_texts(roles)) or "nothing"


def _state(account: Account) -> str:
    if account.follows_groups:
        return ", by their groups; signs in by single sign-on"
    if account.subject:
        return "; signs in by single sign-on"
    return "" if account.password else "; has not set a password yet"


def _shown(unit: Unit, account: Account) -> Account:
    """Return the account, without its address for those who are no admin."""
    return account if unit.by.may(Role.ADMIN, EVERYWHERE) else replace(account, email="")


def _json(account: Account, roles: Roles) -> dict[str, Json]:
    return {
        "name": account.name,
        "email": account.email,
        "roles": list(role_texts(roles)),
        "ready": bool(account.password or account.subject),
        "follows_groups": account.follows_groups,
    }
