"""What can be asked for about people and their tokens? Part of `commands.model`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPerson:
    """Give somebody an account, and a link to set its password with, once.

    `roles` are written as in `commands.roles`. `email` is how a single sign-on knows them.
    """

    writes: ClassVar[bool] = True

    name: str
    roles: tuple[str, ...]
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRoles:
    """Give somebody these roles, in place of the ones before."""

    writes: ClassVar[bool] = True

    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitePerson:
    """Give a new link to set a password with, once; the links before end."""

    writes: ClassVar[bool] = True

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePerson:
    """Close somebody's account: sessions, links and tokens end at once."""

    writes: ClassVar[bool] = True

    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPeople:
    """List who has an account, and what they may do."""

    writes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateToken:
    """Make a token for a program.

    It speaks for `person`, empty for whoever asks, or with `machine` for itself alone. `expires` is
    a length of time such as `90d`, empty for never.
    """

    writes: ClassVar[bool] = True

    label: str
    roles: tuple[str, ...]
    person: str = ""
    machine: bool = False
    expires: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken:
    """End a token at once; `token` is its number from the list."""

    writes: ClassVar[bool] = True

    token: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTokens:
    """List one's own tokens, and an admin's all; nobody gets to read a token itself again."""

    writes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChat:
    """Let a chat user act as `person`, empty for whoever asks; the code was given in chat."""

    writes: ClassVar[bool] = True

    code: str
    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkChat:
    """Let no chat user act as `person` any more, empty for whoever asks."""

    writes: ClassVar[bool] = True

    person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkForge:
    """Let a user of a forge act as `person` in issues, empty for whoever asks.

    `forge` is its name in the project, empty for the only one.
    """

    writes: ClassVar[bool] = True

    user: str
    forge: str = ""
    person: str = ""


AccessCommand = (
    AddPerson
    | SetRoles
    | InvitePerson
    | RemovePerson
    | ListPeople
    | LinkChat
    | LinkForge
    | UnlinkChat
    | CreateToken
    | RevokeToken
    | ListTokens
)
