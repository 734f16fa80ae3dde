"""Who has spoken by a box of an issue, and what do they ask for by it?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.commands.model import ApproveStep, SkipStep
from flagstaff.errors import Forbidden
from flagstaff.issues import BoxAnswer, Said
from flagstaff.services.people import anybody
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.unit import Unit
from flagstaff.store import people


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who committed a line, as they call themselves in git."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a box says, and who committed its line; `None` when nobody has yet."""

    answer: BoxAnswer
    author: Author | None


def speaker(unit: Unit, heard: Heard, file: str) -> Person:
    """Return the person whose word a box in a file is.

    As long as nobody has an account, whoever may write the file may do all, as at the terminal.
    Afterwards the line has to be committed under the address of an account, whose roles count.
    Names in commits are believed, so they are not enough where four eyes are asked for.

    Raises:
        Forbidden: nobody with an account has committed the line, or four eyes are asked for.
    """
    author = heard.author
    if unit.context.project.policies.four_eyes:
        raise Forbidden(
            f"{file}:{heard.answer.line}: the box does not count, since the policy of four eyes "
            "needs to know for certain who speaks, and a commit can bear any name",
            hint="answer with `flagstaff rollout approve` or `skip`, on the page, or in chat",
        )
    if not anybody(unit):
        name = author.name if author else f"somebody who edits {file}"
        return Person(name=name, source=Source.ISSUE, roles=ADMIN_EVERYWHERE)
    found = people.find(unit.connection, email=author.email) if author and author.email else []
    if len(found) == 1:
        (account,) = found
        return Person(
            name=account.name, source=Source.ISSUE, roles=account.roles, account=account.name
        )
    who = f"{author.name} <{author.email}>, who has no account here" if author else "nobody yet"
    raise Forbidden(
        f"{file}:{heard.answer.line}: the box does not count, since its line is committed by {who}",
        hint="commit it under an account's address, or answer with `flagstaff rollout approve`",
    )


def asked_by(number: int, answer: BoxAnswer, issue: str) -> ApproveStep | SkipStep | None:
    """Return what a box asks for; `None` when it is answered in the issue alone.

    `issue` is what the issue is called, be it a file or on a forge.
    """
    match answer.said:
        case Said.APPROVED:
            return ApproveStep(rollout=number, step=answer.step, reason=f"ticked in {issue}")
        case Said.SKIPPED:
            return SkipStep(rollout=number, step=answer.step, reason=answer.reason)
        case Said.NO_REASON | Said.NOT_THEIRS:
            return None
