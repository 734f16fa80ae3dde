"""Who outside is told of a change of a flag, and how?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, assert_never

from flagstaff.definitions import Project
from flagstaff.errors import Refused
from flagstaff.integrations.notify.change_note import add_to_issue, add_to_log, mark_of, note_of
from flagstaff.integrations.notify.event_hook import send_event
from flagstaff.integrations.notify.grafana import annotate
from flagstaff.integrations.notify.webhook import post
from flagstaff.rollouts.effect import Post
from flagstaff.services.ports import OnDuty
from flagstaff.services.side_effects import FlagChanged, Kind, Wanted


class Announce(Protocol):
    """Whoever says an announcement in chat."""

    def __call__(self, announcement: Post, /, *, on_duty: tuple[OnDuty, ...] = ()) -> None:
        """Say it in every channel, mentioning those who are on call.

        Raises:
            Unavailable: try again later.
            Refused: the chat will never take it.
        """
        ...


class Comments(Protocol):
    """Whoever writes comments on the issues of a forge."""

    def knows(self, address: str) -> bool:
        """Return whether an address is that of an issue there."""
        ...

    def comment(self, address: str, text: str, *, mark: str) -> None:
        """Write a comment that holds `mark`, unless there is one.

        Raises:
            Unavailable: try again later.
            Refused: the forge says no.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Tells each of those whom the project's settings name.

    Attributes:
        announce: says something in chat; None where no chat is connected.
        comments: None where no forge is connected.
        grafana_token: with what Grafana lets us in.
        event_secret: with what events are signed; empty signs nothing.
    """

    root: Path
    project: Project
    announce: Announce | None = None
    comments: Comments | None = None
    grafana_token: str = ""
    event_secret: str = ""

    def tell(self, wanted: Wanted) -> None:
        """Tell one of them of a change; telling again changes nothing more.

        What is no longer set up is nothing to do.

        Raises:
            Unavailable: try again later.
            FlagstaffError: somebody has to look.
        """
        settings, change = self.project.side_effects, wanted.change
        match wanted.kind:
            case Kind.ANNOTATION:
                if settings.annotation is not None:
                    again = wanted.attempts > 1
                    annotate(settings.annotation, self.grafana_token, change, again=again)
            case Kind.EVENT:
                if settings.event is not None:
                    send_event(settings.event, self.event_secret, change, datetime.now(UTC))
            case Kind.LOG:
                self._log(change)
            case Kind.ROLLOUT_ISSUE:
                self._note(change)
            case Kind.TEAM_CHANNEL:
                self._cross_post(wanted)
            case _:
                assert_never(wanted.kind)

    def _log(self, change: FlagChanged) -> None:
        log = self.project.side_effects.log
        if log is not None and log.issue:
            self._comment(log.issue, change, "side_effects: log: issue:")
        elif log is not None:
            add_to_log(self.root / log.file, change)

    def _note(self, change: FlagChanged) -> None:
        if change.issue_path:
            add_to_issue(Path(change.issue_path), change)
        elif change.issue:
            self._comment(change.issue, change, "rollout_issue_url:")

    def _comment(self, address: str, change: FlagChanged, setting: str) -> None:
        if self.comments is None or not self.comments.knows(address):
            raise Refused(
                f"`{setting}` names {address}, and no forge that has it is connected",
                hint="describe it under `forges:` in flagstaff.yml",
            )
        self.comments.comment(address, note_of(change), mark=mark_of(change))

    def _cross_post(self, wanted: Wanted) -> None:
        team, change = self.project.channels.get("team"), wanted.change
        if not team:
            return
        where = f" (in {change.channel})" if change.channel else ""
        why = f": {change.reason}" if change.reason else ""
        text = f"{change.title}{where}{why}"
        said = Post(key=f"side-effect/{wanted.key}", step="", channels=(team,), text=text)
        if self.announce is not None:
            self.announce(said)
        elif self.project.webhook is not None:
            post(self.project.webhook, said)
