"""What may people and tokens do, and how is that written?

A role is given everywhere, `operator`, or in one environment, `operator@staging`. Each role may do
all that the roles below it may.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property

from flagstaff.errors import UsageError

EVERYWHERE = "*"
"""In place of an environment: in all of them, also in those that are added later."""

_GIVEN = re.compile(r"(?P<role>[a-z]+)(?:@(?P<environment>[A-Za-z0-9_.*-]+))?")


class Role(StrEnum):
    """From the least to the most."""

    APPLICATION = "application"
    VIEWER = "viewer"
    OPERATOR = "operator"
    MAINTAINER = "maintainer"
    ADMIN = "admin"

    @cached_property
    def rank(self) -> int:
        """Return how many roles may do less."""
        return list(Role).index(self)

    def covers(self, other: Role) -> bool:
        """Return whether whoever has this role may do what the other one may."""
        return self.rank >= other.rank


MEANINGS: Mapping[Role, str] = {
    Role.APPLICATION: "read the flags and report what they answered; for programs that use flags",
    Role.VIEWER: "see everything, change nothing",
    Role.OPERATOR: "change flags, run and answer rollouts, record deployments",
    Role.MAINTAINER: "overrule policies as well, with a reason",
    Role.ADMIN: "say who may do what",
}

Roles = Mapping[str, Role]
"""By environment; `*` is everywhere."""


def parse_roles(texts: Iterable[str]) -> dict[str, Role]:
    """Return the roles that `texts` give, by environment.

    >>> parse_roles(["viewer", "operator@staging"])
    {'*': <Role.VIEWER: 'viewer'>, 'staging': <Role.OPERATOR: 'operator'>}

    Raises:
        UsageError: one is none, or an environment has two.
    """
    found: dict[str, Role] = {}
    for text in texts:
        given = _GIVEN.fullmatch(text.strip())
        if given is None or given["role"] not in list(Role):
            raise UsageError(
                f"{text[:60]!r} is no role",
                hint=f"there are {', '.join(Role)}; `operator@staging` is one in staging alone",
            )
        place = given["environment"] or EVERYWHERE
        if place in found and found[place] != given["role"]:
            where = "everywhere" if place == EVERYWHERE else f"in {place}"
            raise UsageError(
                f"two roles {where}: {found[place]} and {given['role']}",
                hint="give the larger one; it may do what the smaller one may",
            )
        found[place] = Role(given["role"])
    return found


def role_texts(roles: Roles) -> tuple[str, ...]:
    """Return roles as they are written, those everywhere first."""
    ordered = sorted(roles.items(), key=lambda item: (item[0] != EVERYWHERE, item[0]))
    return tuple(
        role.value if place == EVERYWHERE else f"{role}@{place}" for place, role in ordered
    )


def role_at(roles: Roles, environment: str) -> Role | None:
    """Return the largest role that counts in an environment."""
    found = [roles[place] for place in (EVERYWHERE, environment) if place in roles]
    return max(found, key=lambda role: role.rank, default=None)


def larger(all_: Iterable[Roles]) -> dict[str, Role]:
    """Return what any of them allows.

    >>> larger([{"*": Role.VIEWER}, {"*": Role.ADMIN, "dev": Role.OPERATOR}])
    {'*': <Role.ADMIN: 'admin'>, 'dev': <Role.OPERATOR: 'operator'>}
    """
    found: dict[str, Role] = {}
    for roles in all_:
        for place, role in roles.items():
            if place not in found or role.covers(found[place]):
                found[place] = role
    return found


def lesser(one: Roles, other: Roles) -> dict[str, Role]:
    """Return what both allow: a token never may more than whoever it belongs to."""
    found: dict[str, Role] = {}
    for place in {*one, *other}:
        mine, theirs = role_at(one, place), role_at(other, place)
        if mine is not None and theirs is not None:
            found[place] = min(mine, theirs, key=lambda role: role.rank)
    return found
