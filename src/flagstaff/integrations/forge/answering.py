"""What is done about a box that somebody has marked?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from flagstaff.commands.model import ApproveStep, SkipStep
from flagstaff.definitions.forges import IssueAddress
from flagstaff.errors import Conflict, FlagstaffError, Unavailable
from flagstaff.integrations.forge.port import IssueClient
from flagstaff.integrations.forge.talking import Talking
from flagstaff.issues.comments import quiet
from flagstaff.issues.people_marks import PeopleMark
from flagstaff.rollouts.plan import Preset
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services import forge_issues, running
from flagstaff.services.person import ENGINE, Person
from flagstaff.services.services import Services

SHOWN: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """One mark of somebody's: `user` is their name on the forge, empty when it does not tell."""

    mark: PeopleMark
    user: str


class Answering:
    """Takes ticks for approvals, and marks with a reason for leaving out, by linked people."""

    def __init__(self, services: Services, talking: Talking) -> None:
        self._services = services
        self._talking = talking

    def take(
        self, client: IssueClient, address: IssueAddress, rollout: Rollout, marked: Marked
    ) -> bool:
        """Do what the mark says; return whether it may stay as it is.

        When it may not be done, the issue says why, once.
        """
        mark, user = marked.mark, marked.user
        left_out = mark.preset is Preset.SKIPPED
        if left_out and not mark.reason:
            text = (
                f"*{_item(mark)}* is marked as left out, without a reason. Write one behind it, "
                "such as `- [~] … — reason: not needed here`; until then it stays to be done."
            )
            self._say(client, address, rollout, mark, text)
            return True
        by = self._person(address, user)
        if by is None:
            self._say(client, address, rollout, mark, self._unknown(address, rollout, marked))
            return False
        try:
            self._decide(rollout, mark, by, address)
        except Unavailable:
            raise
        except FlagstaffError as exc:
            what = "marked" if left_out else "ticked"
            hint = f" {quiet(exc.hint)}." if exc.hint else ""
            text = (
                f"*{_item(mark)}* was {what} by {quiet(user)}, and that does not count: "
                f"{quiet(exc.message)}.{hint} The box is open again."
            )
            self._say(client, address, rollout, mark, text)
            return False
        return True

    def _decide(self, rollout: Rollout, mark: PeopleMark, by: Person, place: IssueAddress) -> None:
        """Approve or skip the steps of a line.

        Raises:
            FlagstaffError: none of them is anybody's to answer, or not this person's.
        """
        if mark.preset is Preset.SKIPPED:
            for step in mark.steps:
                self._skip(rollout.id, step, mark.reason, by)
            return
        error: FlagstaffError | None = None
        approved = False
        for step in mark.steps:
            command = ApproveStep(rollout=rollout.id, step=step, reason=f"ticked in {place}")
            try:
                self._services.execute(command, by)
                approved = True
            except Conflict as exc:
                error = None if self._is_over(rollout.id, step) else exc
        if error is not None and not approved:
            raise error

    def _skip(self, number: int, step: str, reason: str, by: Person) -> None:
        try:
            self._services.execute(SkipStep(rollout=number, step=step, reason=reason), by)
        except Conflict:
            if not self._is_over(number, step):
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

    def _unknown(self, address: IssueAddress, rollout: Rollout, marked: Marked) -> str:
        item, user = _item(marked.mark), quiet(marked.user)
        command = f"`flagstaff rollout approve {rollout.id} --step {marked.mark.steps[0]}`"
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

    def _say(
        self,
        client: IssueClient,
        address: IssueAddress,
        rollout: Rollout,
        mark: PeopleMark,
        text: str,
    ) -> None:
        why = forge_issues.digest_of(text)[:12]
        key = f"rollout-{rollout.id}/answer/{mark.steps[0]}/{why}"
        self._talking.say_once(client, address, key, text)


def _item(mark: PeopleMark) -> str:
    words = quiet(mark.item.replace("*", ""))
    return words if len(words) <= SHOWN else f"{words[:SHOWN]} \u2026"
