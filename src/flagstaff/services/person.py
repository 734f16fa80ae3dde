"""Who asks, by which way in, and what may they do?"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from flagstaff.commands.roles import EVERYWHERE, Role, Roles, role_at


class Source(StrEnum):
    """The way in."""

    TERMINAL = "terminal"
    WEB = "web"
    CHAT = "chat"
    API = "api"
    ISSUE = "issue"
    ENGINE = "engine"


ADMIN_EVERYWHERE: Roles = {EVERYWHERE: Role.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human or a machine that asks for something; without roles it may do nothing.

    Attributes:
        channel: from chat, where they wrote.
        roles: what they may do, by environment.
        account: the name of the account they have, empty for machines and for whoever owns the
            server's folder.
        owner: they own the server's folder, so that files of this machine are theirs to name.
    """

    name: str
    source: Source
    channel: str = ""
    roles: Roles = field(default_factory=dict)
    account: str = ""
    owner: bool = False

    def may(self, role: Role, environment: str) -> bool:
        """Return whether they have the role in an environment; `*` asks for all of them."""
        found = role_at(self.roles, environment)
        return found is not None and found.covers(role)

    def may_somewhere(self, role: Role) -> bool:
        """Return whether they have the role in any environment."""
        return any(each.covers(role) for each in self.roles.values())


ENGINE = Person(name="flagstaff", source=Source.ENGINE, roles=ADMIN_EVERYWHERE)
"""The rollout engine itself."""
