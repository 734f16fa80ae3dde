"""Which words say who may do what, and let programs in?"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from flagstaff.commands.access_model import (
    AddPerson,
    CreateToken,
    InvitePerson,
    LinkChat,
    LinkForge,
    ListPeople,
    ListTokens,
    RemovePerson,
    RevokeToken,
    SetRoles,
    UnlinkChat,
)
from flagstaff.commands.roles import MEANINGS, parse_roles
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.definitions.duration import parse_duration
from flagstaff.errors import UsageError

_ROLES = "\b\nRoles, each with all that those before it may:\n" + "".join(
    f"  {role:<12} {meaning}\n" for role, meaning in MEANINGS.items()
)


def _roles(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--role`; the callback gets what was given as `roles`, in the order of the words."""

    @functools.wraps(callback)
    def with_roles(*, role: tuple[str, ...], **options: Any) -> Any:
        parse_roles(role)
        return callback(roles=role, **options)

    return click.option(
        "--role",
        multiple=True,
        required=True,
        metavar="ROLE[@ENVIRONMENT]",
        help="May be repeated: viewer everywhere and operator@staging.",
    )(with_roles)


_reason = click.option("--reason", default="", metavar="TEXT", help="Why; goes into the audit log.")


@click.group(
    "person", cls=Tree, context_settings=SETTINGS, epilog=_ROLES, short_help="Who may do what?"
)
def person() -> None:
    """Say who may do what."""


@person.command("add", context_settings=SETTINGS, epilog=_ROLES)
@click.argument("name", metavar="NAME")
@_roles
@click.option(
    "--email", default="", metavar="ADDRESS", help="By which a single sign-on knows them."
)
def add(*, name: str, roles: tuple[str, ...], email: str) -> AddPerson:
    """Give NAME an account, and a link to set a password with, once."""
    return AddPerson(name=name, roles=roles, email=email)


@person.command("roles", context_settings=SETTINGS, epilog=_ROLES)
@click.argument("name", metavar="NAME")
@_roles
def roles(*, name: str, roles: tuple[str, ...]) -> SetRoles:
    """Give NAME these roles in place of the ones before."""
    return SetRoles(name=name, roles=roles)


@person.command("invite", context_settings=SETTINGS)
@click.argument("name", metavar="NAME")
def invite(*, name: str) -> InvitePerson:
    """Make a new link with which NAME sets a password, once; earlier links end."""
    return InvitePerson(name=name)


@person.command("remove", context_settings=SETTINGS)
@click.argument("name", metavar="NAME")
@_reason
def remove(*, name: str, reason: str) -> RemovePerson:
    """Close NAME's account; sessions and tokens end at once."""
    return RemovePerson(name=name, reason=reason.strip())


@person.command("list", context_settings=SETTINGS)
def list_people() -> ListPeople:
    """List who has an account."""
    return ListPeople()


@person.command("link", context_settings=SETTINGS)
@click.argument("code", metavar="CODE")
@click.option("--for", "name", default="", metavar="NAME", help="Whose account; admins only.")
def link(*, code: str, name: str) -> LinkChat:
    """Let whoever got CODE from `/flagstaff link` in chat act as you."""
    return LinkChat(code=code, person=name)


@person.command("link-forge", context_settings=SETTINGS)
@click.argument("user", metavar="USER")
@click.option("--forge", default="", metavar="FORGE", help="As flagstaff.yml calls it.")
@click.option("--for", "name", default="", metavar="NAME", help="Whose account; admins only.")
def link_forge(*, user: str, forge: str, name: str) -> LinkForge:
    """Let boxes that USER ticks in issues on a forge count as your approvals."""
    return LinkForge(user=user, forge=forge, person=name)


@person.command("unlink", context_settings=SETTINGS)
@click.option("--for", "name", default="", metavar="NAME", help="Whose account; admins only.")
def unlink(*, name: str) -> UnlinkChat:
    """Let no user of a chat or of a forge act as you any more."""
    return UnlinkChat(person=name)


_EXAMPLES = """\b
Examples:
  token create shop --machine --role application@production
  token create ci --machine --role operator@staging --expires 90d
  token revoke 3f9a0c12b7de --reason "the laptop is lost"
"""


@click.group(
    "token", cls=Tree, context_settings=SETTINGS, epilog=_EXAMPLES, short_help="Let programs in."
)
def token() -> None:
    """Let programs in."""


@token.command("create", context_settings=SETTINGS, epilog=f"{_EXAMPLES}\n{_ROLES}")
@click.argument("label", metavar="NAME")
@_roles
@click.option("--machine", is_flag=True, help="It speaks for itself, not for a person.")
@click.option("--for", "person", default="", metavar="PERSON", help="Whom it speaks for.")
@click.option("--expires", default="", metavar="LENGTH", help="Such as 90d; never, when left out.")
def create(
    *, label: str, roles: tuple[str, ...], machine: bool, person: str, expires: str
) -> CreateToken:
    """Make a token; it is shown once. NAME says where it will be used."""
    if machine and person:
        raise UsageError(
            "`token create`: --machine and --for exclude each other",
            hint="a token speaks for a machine or for a person",
        )
    if expires:
        parse_duration(expires)
    return CreateToken(label=label, roles=roles, machine=machine, person=person, expires=expires)


@token.command("revoke", context_settings=SETTINGS)
@click.argument("number", metavar="NUMBER")
@_reason
def revoke(*, number: str, reason: str) -> RevokeToken:
    """End the token with this NUMBER at once."""
    return RevokeToken(token=number, reason=reason.strip())


@token.command("list", context_settings=SETTINGS)
def list_tokens() -> ListTokens:
    """List your tokens, and an admin's all."""
    return ListTokens()
