"""What is done about a box on a forge that somebody has filled?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from flagstaff.definitions.forges import IssueAddress
from flagstaff.errors import Conflict, FlagstaffError, Unavailable
from flagstaff.integrations.forge.port import IssueClient
from flagstaff.integrations.forge.talking import Talking
from flagstaff.issues import Said
from flagstaff.issues.answers import NOT_BY_HAND
from flagstaff.issues.comments import quiet
from flagstaff.issues.filled_boxes import FilledBox
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services import boxes, forge_issues, running
from flagstaff.services.person import ENGINE, Person
from flagstaff.services.services import Services

SHOWN: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """One box of somebody's: `user` is their name on the forge, empty when it does not tell."""

    box: FilledBox
    user: str


class Answering:
    """Takes boxes for words of linked people; where one does not count, a comment says why."""

    def __init__(self, services: Services, talking: Talking) -> None:
        self._services = services
        self._talking = talking

    def take(
        self, client: IssueClient, address: IssueAddress, rollout: Rollout, marked: Marked
    ) -> bool:
        """Do what the box asks for; return whether it may stay as it is.

        When it may not, the issue says why, once. One that still wants a reason is asked for it
        below its line, as in a file.
        """
        box = marked.box
        if Said.NO_REASON in box.said:
            return True
        why = self._refusal(address, rollout, marked) if box.is_word else _by_hand(box)
        if why:
            digest = forge_issues.digest_of(why)[:12]
            key = f"rollout-{rollout.id}/answer/{box.answers[0].step}/{digest}"
            self._talking.say_once(client, address, key, why)
        return not why

    def _refusal(self, address: IssueAddress, rollout: Rollout, marked: Marked) -> str:
        """Do what the box asks for; return why it does not count, empty if it does."""
        box, user = marked.box, marked.user
        by = self._person(address, user)
        if by is None:
            return _unknown(address, rollout, marked)
        try:
            self._execute(rollout.id, box, by, str(address))
        except Unavailable:
            raise
        except FlagstaffError as exc:
            what = "marked" if Said.SKIPPED in box.said else "ticked"
            hint = f" {quiet(exc.hint)}." if exc.hint else ""
            return (
                f"*{_item(box)}* was {what} by {quiet(user)}, and that does not count: "
                f"{quiet(exc.message)}.{hint} The box is open again."
            )
        return ""

    def _execute(self, number: int, box: FilledBox, by: Person, issue: str) -> None:
        """Carry out everything that a box asks for.

        Raises:
            FlagstaffError: some of it is not this person's to say.
        """
        for answer in box.answers:
            command = boxes.asked_by(number, answer, issue)
            try:
                if command is not None:
                    self._services.execute(command, by)
            except Conflict:
                if not self._is_over(number, answer.step):
                    raise

    def _is_over(self, number: int, step: str) -> bool:
        """Return whether a step has ended, by itself or by an earlier try of ours."""
        record = self._services.ask(partial(running.find, number=number), ENGINE)
        return record.rollout.phase.finished or record.rollout.state(step).status.finished

    def _person(self, address: IssueAddress, user: str) -> Person | None:
        if not user:
            return None
        question = partial(forge_issues.person_of, forge=address.forge, name=user)
        return self._services.ask(question, ENGINE)


def _by_hand(box: FilledBox) -> str:
    return f"*{_item(box)}* was ticked by hand: {NOT_BY_HAND}. The box is open again."


def _unknown(address: IssueAddress, rollout: Rollout, marked: Marked) -> str:
    item, user = _item(marked.box), quiet(marked.user)
    command = f"`flagstaff rollout approve {rollout.id} --step {marked.box.answers[0].step}`"
    if not user:
        return (
            f"*{item}* was marked, and {address.forge.host} does not tell by whom, so it does "
            f"not count. The box is open again; instead: {command}"
        )
    return (
        f"*{item}* was marked by {user}, who is linked to nobody in Flagstaff, so it does not "
        f"count. The box is open again. Link once with `flagstaff person link-forge {user} "
        f"--forge {address.forge.name}` and mark it anew, or: {command}"
    )


def _item(box: FilledBox) -> str:
    words = quiet(box.item.replace("*", ""))
    return words if len(words) <= SHOWN else f"{words[:SHOWN]} \u2026"
