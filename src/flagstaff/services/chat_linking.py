"""As whom may a chat user act?

The user asks in chat for a code; whoever is signed in gives the code, and so vouches for the user.
Only hashes are kept: of who the user is, and of the code.
"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.commands.access_model import LinkChat, UnlinkChat
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import NotFound, UsageError
from flagstaff.services.people import PEOPLE
from flagstaff.services.secret import hashed
from flagstaff.services.unit import Unit
from flagstaff.store import credentials, people
from flagstaff.store.credentials import Credential, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatUser:
    """Somebody in a chat; `platform`, `team` and `id` say who, `name` is only shown."""

    platform: str
    team: str
    id: str
    name: str

    @property
    def label(self) -> str:
        """Return how people read who it is."""
        return f"@{self.name} ({self.id}) in {self.platform}"

    @property
    def hash(self) -> str:
        """Return what is kept of who it is."""
        return hashed(f"{self.platform}\n{self.team}\n{self.id}")


def asker(unit: Unit, code: str) -> ChatUser:
    """Return which chat user asked for a code.

    Raises:
        NotFound: the code was used, has expired, or never was.
    """
    found = credentials.get(unit.connection, hashed(code), Kind.CHAT_LINK)
    if found is None or found.over(unit.wall) or found.details is None:
        raise NotFound(
            "this code is no longer good: it works once, and for 15 minutes",
            hint="write `/flagstaff link` in chat for a new one",
        )
    return ChatUser(**found.details)


def link(unit: Unit, command: LinkChat) -> Outcome:
    """Let a chat user act as somebody; the code is used up."""
    account = people.get(unit.connection, account_named(unit, command.person), lock=True)
    if account is None:
        raise NotFound(f"nobody called {command.person} has an account", hint="person list")
    user = asker(unit, command.code)
    if not credentials.remove(unit.connection, hashed(command.code)):
        raise NotFound("this code has just been used", hint="write `/flagstaff link` in chat")
    credentials.remove(unit.connection, user.hash)
    credentials.add(
        unit.connection,
        Credential(
            hash=user.hash,
            kind=Kind.CHAT,
            person=account.name,
            label=user.label[:255],
            created_at=unit.wall,
            created_by=unit.by.name,
        ),
    )
    unit.changed.add(PEOPLE)
    text = f"{user.label} acts as {account.name} from now on"
    unit.record("person.link", text=text)
    return Outcome(
        text=f"{text}\nnot you? `flagstaff person unlink`",
        data={"name": account.name, "chat": user.label},
    )


def unlink(unit: Unit, command: UnlinkChat) -> Outcome:
    """Let no chat user act as somebody any more."""
    name = account_named(unit, command.person)
    if not credentials.remove_of(unit.connection, name, Kind.CHAT):
        raise NotFound(f"no chat user acts as {name}")
    unit.changed.add(PEOPLE)
    unit.record("person.unlink", text=f"no chat user acts as {name} any more")
    return Outcome(text=f"no chat user acts as {name} any more", data={"name": name})


def account_named(unit: Unit, given: str) -> str:
    """Return the name of the account that is meant: the one given, or the asker's own.

    Raises:
        UsageError: the asker has none.
    """
    name = given or unit.by.account
    if not name:
        raise UsageError(
            f"{unit.by.name} has no account to act as",
            hint="say whose with --for NAME; `flagstaff person list` shows who has one",
        )
    return name
