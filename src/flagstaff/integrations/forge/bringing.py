"""To what is a rollout's issue brought? Level by level: text, comments, labels, open or not."""

from __future__ import annotations

from functools import partial

from flagstaff.definitions.forges import IssueAddress
from flagstaff.integrations.forge.answering import Answering, Marked
from flagstaff.integrations.forge.port import Issue, IssueClient
from flagstaff.integrations.forge.talking import Talking
from flagstaff.integrations.forge.texts import bring_text
from flagstaff.issues import Said, box_answers, follow
from flagstaff.issues.comments import closing_comment, comments_for, quiet
from flagstaff.issues.filled_boxes import filled_boxes, with_open_boxes
from flagstaff.issues.state_labels import STATES, state_label
from flagstaff.rollouts.plan import Close, CloseTarget
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus
from flagstaff.services import forge_issues, running
from flagstaff.services.forge_issues import AuditEntry, RolloutRecord
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services


class Bringing:
    """Brings the issue of one rollout to what it should be, as often as it is asked to."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._talking = Talking(services)
        self._answering = Answering(services, self._talking)

    def bring(self, client: IssueClient, address: IssueAddress, number: int) -> Issue:
        """Take what people have marked, then bring text, comments, labels and state up to date.

        Returns:
            The issue as it was read last.

        Raises:
            Unavailable: try again later.
            FlagstaffError: a person has to look.
        """
        issue = client.read(address.project, address.number)
        # Asked for after the issue was read, it knows of every step that we have ticked there.
        refused = self._hear(client, address, issue, self._record(number).rollout)
        record = self._record(number)
        rollout = record.rollout

        def wanted(text: str) -> str:
            answers = box_answers(text, rollout)
            again = {each.line for each in answers if (each.step, each.said) in refused}
            return follow(with_open_boxes(text, again), rollout)

        issue = bring_text(client, address, issue, wanted)
        for said in comments_for(rollout, self._page(rollout)):
            self._talking.keep(client, address, f"rollout-{number}/{said.key}", said.text)
        self._note_changes(client, address, record)
        self._label(client, address, issue, rollout)
        if rollout.phase.finished:
            self._end(client, address, rollout)
        return issue

    def take(self, client: IssueClient, address: IssueAddress, number: int, marked: Marked) -> None:
        """Take one box of which a webhook has told who filled it."""
        self._answering.take(client, address, self._record(number).rollout, marked)

    def _record(self, number: int) -> RolloutRecord:
        return self._services.ask(partial(running.find, number=number), ENGINE)

    def _hear(
        self, client: IssueClient, address: IssueAddress, issue: Issue, rollout: Rollout
    ) -> set[tuple[str, Said]]:
        """Take what people have marked, and return what is not heeded and has to be taken away."""
        refused = set()
        for box in filled_boxes(issue.text, rollout):
            ticked, user = Said.SKIPPED not in box.said, ""
            if box.is_word:
                user = client.who_marked(address.project, address.number, box.item, done=ticked)
            marked = Marked(box=box, user=user)
            if not self._answering.take(client, address, rollout, marked):
                refused |= {(each.step, each.said) for each in box.answers}
        return refused

    def _note_changes(
        self, client: IssueClient, address: IssueAddress, record: RolloutRecord
    ) -> None:
        """Say each change of the flag in production in a comment of its own."""
        number = record.rollout.id
        key = f"rollout-{number}/changes"
        last = int(self._talking.remembered(key) or "0")
        changes = self._services.ask(
            partial(forge_issues.changes_since, record=record, entry=last), ENGINE
        )
        for entry in changes:
            text = _change(entry, self._page(record.rollout))
            self._talking.say_once(client, address, f"rollout-{number}/change-{entry.id}", text)
            self._talking.remember(key, address, digest=str(entry.id))

    def _label(
        self, client: IssueClient, address: IssueAddress, issue: Issue, rollout: Rollout
    ) -> None:
        label, key = state_label(rollout), f"rollout-{rollout.id}/label"
        if self._talking.was_done(key, label):
            return
        others = (STATES - {label}) & issue.labels
        if others or label not in issue.labels:
            client.set_labels(
                address.project, address.number, add=frozenset({label}), remove=others
            )
        self._talking.remember(key, address, digest=label)

    def _end(self, client: IssueClient, address: IssueAddress, rollout: Rollout) -> None:
        """Say how it ended, and close the issue where it says so itself; once each."""
        self._talking.say_once(
            client, address, f"rollout-{rollout.id}/end", closing_comment(rollout)
        )
        key = f"rollout-{rollout.id}/closed"
        if (
            rollout.phase is Phase.COMPLETED
            and _closes(rollout)
            and not self._talking.was_done(key)
        ):
            client.set_closed(address.project, address.number, closed=True)
            self._talking.remember(key, address)

    def _page(self, rollout: Rollout) -> str:
        address = self._services.context.address().rstrip("/")
        return f"{address}/rollouts/{rollout.id}" if address else ""


def _closes(rollout: Rollout) -> bool:
    return any(
        isinstance(step.action, Close)
        and step.action.target is CloseTarget.ROLLOUT_ISSUE
        and rollout.state(step.id).status is StepStatus.DONE
        for step in rollout.plan.steps
    )


def _change(entry: AuditEntry, page: str) -> str:
    """Return how a change of the flag in production is told."""
    where = f"[log]({page})" if page else "log"
    reason = f", because {quiet(entry.reason)}" if entry.reason else ""
    return (
        f"**{quiet(entry.text)}** {entry.at:%Y-%m-%d %H:%M} UTC by {quiet(entry.who)}{reason} "
        f"({where}, entry {entry.id})"
    )
