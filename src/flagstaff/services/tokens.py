"""Which programs are let in, on whose behalf, and for how long?"""

from __future__ import annotations

import re
from datetime import datetime

from flagstaff.commands.access_model import CreateToken, ListTokens, RevokeToken
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.commands.roles import EVERYWHERE, Role, Roles, role_at, role_texts
from flagstaff.definitions.duration import parse_duration
from flagstaff.errors import NotFound, Refused, UsageError
from flagstaff.services.people import PEOPLE, checked_roles
from flagstaff.services.permissions import require
from flagstaff.services.person import Person, Source
from flagstaff.services.secret import NUMBER, PREFIX, hashed, new_secret
from flagstaff.services.unit import Unit
from flagstaff.store import credentials, people
from flagstaff.store.credentials import Credential, Kind

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+ -]{0,99}")
_NUMBER = re.compile(rf"[0-9a-f]{{6,{NUMBER}}}")


def create_token(unit: Unit, command: CreateToken) -> Outcome:
    """Make a token; this is the only time that anybody gets to read it."""
    if not _LABEL.fullmatch(command.label):
        raise UsageError(
            f"{command.label[:60]!r} is no name of a token",
            hint="say where it will be used, such as ci or shop-production",
        )
    roles = checked_roles(unit, command.roles)
    owner = _owner(unit, command, roles)
    expires = unit.wall + parse_duration(command.expires) if command.expires else None
    secret = new_secret(PREFIX)
    made = Credential(
        hash=hashed(secret),
        kind=Kind.TOKEN,
        person=owner,
        label=command.label,
        roles=roles,
        created_at=unit.wall,
        created_by=unit.by.name,
        expires_at=expires,
    )
    credentials.add(unit.connection, made)
    unit.changed.add(PEOPLE)
    unit.record("token.create", text=f"token {_line(made)}")
    said = unit.once(secret)
    return Outcome(
        text=f"token {_line(made)}\nkeep it now, it is not shown again: {said}",
        data={**_json(made), "token": said},
    )


def revoke_token(unit: Unit, command: RevokeToken) -> Outcome:
    """End a token at once."""
    number = command.token.strip().lower()
    found = []
    if _NUMBER.fullmatch(number):
        found = credentials.find(unit.connection, Kind.TOKEN, number=number)
    if len(found) != 1:
        raise NotFound(
            f"there is no one token {number[:40]!r}",
            hint="name it by its number from: flagstaff token list",
        )
    (token,) = found
    if not _own(unit.by, token):
        require(unit.by, Role.ADMIN, (EVERYWHERE,))
    credentials.remove(unit.connection, token.hash)
    unit.changed.add(PEOPLE)
    unit.record("token.revoke", text=f"token {_line(token)} revoked", reason=command.reason)
    return Outcome(text=f"token {_line(token)} is revoked", data=_json(token))


def list_tokens(unit: Unit, _: ListTokens) -> Outcome:
    """Say which tokens there are."""
    found = [
        each
        for each in credentials.find(unit.connection, Kind.TOKEN)
        if unit.by.may(Role.ADMIN, EVERYWHERE) or _own(unit.by, each)
    ]
    lines = [f"{_line(each)}{_since(each, unit.wall)}" for each in found]
    return Outcome(
        text="\n".join(lines) or "there are no tokens",
        data={"tokens": [_json(each) for each in found]},
        next="" if found else "flagstaff token create NAME --role application@production",
    )


def _own(by: Person, token: Credential) -> bool:
    return bool(by.account) and token.person == by.account


def _owner(unit: Unit, command: CreateToken, roles: Roles) -> str:
    """Return whose the token will be, empty for a machine's own.

    Raises:
        Refused: only an admin makes tokens for others, and nobody one that may more than they.
        NotFound: the person has no account.
    """
    by = unit.by
    if command.machine and command.person:
        raise UsageError("a token is a machine's own or a person's, not both")
    person = "" if command.machine else command.person or by.account
    if person and person == by.account:
        _check_way_in(by)
        if not _covered(roles, by.roles):
            raise Refused(
                f"a token for {', '.join(role_texts(roles))} would allow more than {by.name} may",
                hint=f"{by.name} has {', '.join(role_texts(by.roles))}",
            )
        return person
    require(by, Role.ADMIN, (EVERYWHERE,))
    if person and people.get(unit.connection, person) is None:
        raise NotFound(f"nobody called {person[:100]} has an account", hint="flagstaff person list")
    return person


def _check_way_in(by: Person) -> None:
    """Let a token make no token: one that is stolen would outlive its end in others.

    An admin's may do all; whoever has that one can make accounts as well.

    Raises:
        Refused: the asker shows a token.
    """
    if by.source is not Source.WEB and not by.may(Role.ADMIN, EVERYWHERE):
        raise Refused(
            "a token makes no tokens, or a stolen one could outlive its end in others",
            hint="make it on the page Settings, or let an admin make it",
        )


def _covered(roles: Roles, by: Roles) -> bool:
    """Return whether `by` allows all that `roles` does."""
    return all(
        (mine := role_at(by, place)) is not None and mine.covers(role)
        for place, role in roles.items()
    )


def _line(token: Credential) -> str:
    whose = f"of {token.person}" if token.person else "of a machine"
    roles = ", ".join(role_texts(token.roles or {}))
    return f"{token.hash[:NUMBER]} {token.label} ({whose}, {roles})"


def _since(token: Credential, now: datetime) -> str:
    if token.over(now):
        return f", expired {token.expires_at:%Y-%m-%d}"
    until = f", until {token.expires_at:%Y-%m-%d}" if token.expires_at else ""
    used = f"last used {token.used_at:%Y-%m-%d %H:%M} UTC" if token.used_at else "never used"
    return f"{until}, {used}"


def _json(token: Credential) -> dict[str, Json]:
    return {
        "number": token.hash[:NUMBER],
        "label": token.label,
        "person": token.person,
        "roles": list(role_texts(token.roles or {})),
        "created_at": token.created_at.isoformat(),
        "created_by": token.created_by,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "used_at": token.used_at.isoformat() if token.used_at else None,
    }
