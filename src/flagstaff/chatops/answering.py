"""Which answer does a line of chat get? The same on every chat program."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, get_args

from flagstaff.chatops.message import Message, Reply
from flagstaff.commands.access_model import AccessCommand
from flagstaff.commands.chat_text import words_of
from flagstaff.commands.grammar import help_text, parse
from flagstaff.commands.model import Command
from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.services.chat_accounts import offer, person_of
from flagstaff.services.person import Person
from flagstaff.services.services import Services

LONGEST: Final = 3000
"""Characters of an answer; a chat message is not the place for more."""

UNLINKED: Final = (
    "I do not know yet who you are here, so I do nothing for you.\n"
    "Write `/flagstaff link`, and confirm the code with your Flagstaff account."
)
HELP: Final = (
    "Write a command, such as `/flagstaff feature get NAME` or `/flagstaff rollout list --active`; "
    "`/chatops run …` and `/chatops gitlab run …` do the same.\n"
    "`/flagstaff link` lets you act as yourself; `/flagstaff help feature set` explains a command."
)
_ACCESS = get_args(AccessCommand)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answering:
    """Carries out what is written in chat; `answer` and `carry_out` never raise."""

    services: Services

    def answer(self, message: Message) -> Reply:
        """Return the answer to a line."""
        try:
            words = words_of(message.text)
        except UsageError as error:
            return Reply(text=f"{error}\n\n{HELP}")
        first = words[0].lower()
        if first in {"help", "-h", "--help"}:
            return Reply(text=f"{HELP}\n\n{help_text(words[1:])}", ok=True)
        if first == "link":
            return _safely(partial(self._link, message))
        return _safely(partial(self._asked, message, words))

    def carry_out(self, message: Message, command: Command) -> Reply:
        """Return the answer to a click that asks for a command."""
        return _safely(partial(self._for, message, lambda: command))

    def _asked(self, message: Message, words: tuple[str, ...]) -> Reply:
        return self._for(message, lambda: parse(words))

    def _for(self, message: Message, command: Callable[[], Command]) -> Reply:
        """Carry out a command for whoever is linked; others do not even learn how it is written."""
        person = person_of(self.services, message.user, message.channel)
        return Reply(text=UNLINKED) if person is None else self._done(command(), person)

    def _link(self, message: Message) -> Reply:
        code = offer(self.services, message.user)
        address = self.services.context.address().rstrip("/")
        return Reply(
            text="To act here as yourself, open this while you are signed in, and confirm:\n"
            f"{address}/link/{code}\n"
            f"or in a terminal: flagstaff person link {code}\n"
            "It works once, and for 15 minutes. Do not pass it on: whoever confirms it lets *you* "
            "act as them.",
            ok=True,
        )

    def _done(self, command: Command, person: Person) -> Reply:
        outcome = self.services.execute(command, person)
        text = shortened(outcome.text)
        if outcome.next:
            text += f"\nnext: {outcome.next}"
        private = isinstance(command, _ACCESS) or not outcome.ok
        return Reply(text=text, private=private, ok=outcome.ok)


def shortened(text: str) -> str:
    """Return a text that fits into a message, saying what is left out."""
    if len(text) <= LONGEST:
        return text
    kept = text[:LONGEST].rpartition("\n")[0] or text[:LONGEST]
    left = text.count("\n") - kept.count("\n")
    return f"{kept}\n… and {left:,} more lines: ask in the terminal, or look at the dashboard"


def _safely(work: Callable[[], Reply]) -> Reply:
    try:
        return work()
    except FlagstaffError as error:
        return Reply(text=shortened(str(error)))
    except Exception:
        log.exception("a message met a fault")
        return Reply(text="a fault in Flagstaff; the log of the server says where")
