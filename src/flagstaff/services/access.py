"""What may be done about people and their tokens?"""

from __future__ import annotations

from flagstaff.commands.access_model import (
    AccessCommand,
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
from flagstaff.commands.outcome import Outcome
from flagstaff.services import chat_linking, forge_linking, people, tokens
from flagstaff.services.unit import Unit


def answer(unit: Unit, command: AccessCommand) -> Outcome:
    """Carry out a command about people or tokens."""
    match command:
        case AddPerson():
            return people.add_person(unit, command)
        case SetRoles():
            return people.set_roles(unit, command)
        case InvitePerson():
            return people.invite(unit, command)
        case RemovePerson():
            return people.remove_person(unit, command)
        case ListPeople():
            return people.list_people(unit, command)
        case LinkChat():
            return chat_linking.link(unit, command)
        case LinkForge():
            return forge_linking.link(unit, command)
        case UnlinkChat():
            return chat_linking.unlink(unit, command)
        case CreateToken():
            return tokens.create_token(unit, command)
        case RevokeToken():
            return tokens.revoke_token(unit, command)
        case ListTokens():
            return tokens.list_tokens(unit, command)
