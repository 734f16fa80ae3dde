"""As whom may a user of a forge act?

Whoever links lends their own rights and nobody else's, so their own word is enough; a user who is
somebody's already is not taken away from them.
"""

from __future__ import annotations

from dataclasses import asdict

from flagstaff.commands.access_model import LinkForge
from flagstaff.commands.outcome import Outcome
from flagstaff.definitions.forges import forge_named
from flagstaff.errors import Conflict, NotFound, UsageError
from flagstaff.services.chat_linking import account_named
from flagstaff.services.forge_issues import forge_user
from flagstaff.services.people import PEOPLE
from flagstaff.services.unit import Unit
from flagstaff.store import credentials, people
from flagstaff.store.credentials import Credential, Kind


def link(unit: Unit, command: LinkForge) -> Outcome:
    """Let a user of a forge act as somebody."""
    forge = forge_named(command.forge, unit.context.project.forges)
    name = account_named(unit, command.person)
    account = people.get(unit.connection, name, lock=True)
    if account is None:
        raise NotFound(f"nobody called {name} has an account", hint="flagstaff person list")
    user = forge_user(forge, command.user.strip())
    if not user.id or not user.id.isprintable() or " " in user.id:
        raise UsageError(
            f"{command.user!r} is no name of a user", hint="write it as the forge does"
        )
    before = credentials.get(unit.connection, user.hash, Kind.CHAT)
    if before is not None and before.person != account.name:
        raise Conflict(
            f"@{user.name} on {forge.host} acts as {before.person} already",
            hint=f"first: flagstaff person unlink --for {before.person}",
        )
    credentials.remove(unit.connection, user.hash)
    credentials.add(
        unit.connection,
        Credential(
            hash=user.hash,
            kind=Kind.CHAT,
            person=account.name,
            label=f"@{user.name} on {forge.host}"[:255],
            details=asdict(user),
            created_at=unit.wall,
            created_by=unit.by.name,
        ),
    )
    unit.changed.add(PEOPLE)
    text = f"@{user.name} on {forge.host} acts as {account.name} from now on"
    unit.record("person.link", text=text)
    return Outcome(
        text=f"{text}\nnot you? `flagstaff person unlink`",
        data={"name": account.name, "user": user.name, "forge": forge.name},
    )
