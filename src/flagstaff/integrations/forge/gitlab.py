"""How does one speak with GitLab about issues?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

import gitlab
import requests
from gitlab.exceptions import GitlabError

from flagstaff.definitions.forges import Forge
from flagstaff.integrations.forge.errors import TIMEOUT, said_no, silent
from flagstaff.integrations.forge.port import Comment, Issue
from flagstaff.rollouts.effect import OpenIssue

PAGE: Final = 100
PAGES: Final = 20
"""Of a list, at most; an issue with more comments has other troubles."""

_TICKED: Final = re.compile(
    r"marked the (?:checklist item|task) \*\*(?P<item>.*)\*\* as (?P<how>completed|incomplete)",
    re.DOTALL,
)
_DESCRIBED: Final = "changed the description"
_NO_WAIT: Final[dict[str, Any]] = {"obey_rate_limit": False, "retry_transient_errors": False}
"""Waiting is ours: the client would sleep, and keep the other forges waiting."""


class GitLabIssues:
    """Issues on one GitLab, through its own client library; one thread at a time."""

    def __init__(self, forge: Forge, token: str) -> None:
        self._forge = forge
        self.pause = 0.0
        self._me = 0
        session = requests.Session()
        session.hooks["response"].append(self._note_retry)
        self._client = gitlab.Gitlab(
            forge.url,
            private_token=token,
            timeout=TIMEOUT,
            session=session,
            user_agent="flagstaff",
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.session.close()

    def read(self, project: str, number: int) -> Issue:
        """Return an issue."""
        with self._explained():
            return _issue(self._issues(project).get(number, **_NO_WAIT).attributes)

    def write_text(self, project: str, number: int, text: str) -> None:
        """Let the issue's description read like this."""
        self._update(project, number, description=text)

    def set_labels(
        self, project: str, number: int, *, add: frozenset[str], remove: frozenset[str]
    ) -> None:
        """Give labels to an issue and take others away; the rest stay."""
        self._update(
            project,
            number,
            add_labels=",".join(sorted(add)),
            remove_labels=",".join(sorted(remove)),
        )

    def set_closed(self, project: str, number: int, *, closed: bool) -> None:
        """Close an issue, or open it again."""
        self._update(project, number, state_event="close" if closed else "reopen")

    def comments(self, project: str, number: int) -> list[Comment]:
        """Return what was said about an issue, oldest first."""
        notes = [note for note in self._notes(project, number) if not note["system"]]
        return [Comment(id=str(note["id"]), text=note["body"]) for note in reversed(notes)]

    def add_comment(self, project: str, number: int, text: str) -> str:
        """Say something about an issue, and return the note's id."""
        with self._explained():
            notes = self._issues(project).get(number, lazy=True).notes
            return str(notes.create({"body": text}, **_NO_WAIT).get_id())

    def edit_comment(self, project: str, number: int, comment: str, text: str) -> None:
        """Let a note read like this."""
        with self._explained():
            notes = self._issues(project).get(number, lazy=True).notes
            notes.update(int(comment), {"body": text}, **_NO_WAIT)

    def who_marked(self, project: str, number: int, item: str, *, done: bool) -> str:
        """Return who set the mark of a list item last, as GitLab's own remarks tell.

        A tick has a remark with the item's text. Another mark is a change of the description; it is
        known whose it is if one person alone has changed that since we last did.
        """
        editors: set[str] = set()
        me = self._own_id() if not done else 0
        for note in self._notes(project, number):
            if not note["system"]:
                continue
            ticked = _TICKED.match(note["body"])
            if done:
                same = ticked and _plain(ticked["item"]) == _plain(item)
                if ticked and same:
                    return str(note["author"]["username"]) if ticked["how"] == "completed" else ""
            elif ticked or note["body"].startswith(_DESCRIBED):
                if note["author"]["id"] == me:
                    break
                editors.add(str(note["author"]["username"]))
        return editors.pop() if len(editors) == 1 else ""

    def find(self, project: str, marker: str, since: datetime) -> int | None:
        """Return the number of the issue with `marker` in its text that was made since then."""
        with self._explained():
            listed = self._issues(project).list(
                created_after=since.isoformat(), per_page=PAGE, iterator=True, **_NO_WAIT
            )
            for issue in listed:
                if marker in (issue.attributes.get("description") or ""):
                    return int(issue.attributes["iid"])
        return None

    def create(self, project: str, wanted: OpenIssue) -> int:
        """Make an issue; what else is wanted of it goes along as quick actions."""
        actions = [f'/label ~"{label}"' for label in wanted.labels]
        actions += [f"/assign @{wanted.assignee}"] if wanted.assignee else []
        actions += [f'/milestone %"{wanted.milestone}"'] if wanted.milestone else []
        text = "\n".join([wanted.text.rstrip("\n"), "", *actions]) if actions else wanted.text
        with self._explained():
            made = self._issues(project).create(
                {"title": wanted.title, "description": text}, **_NO_WAIT
            )
            return int(made.attributes["iid"])

    def changed(self, project: str, since: datetime) -> dict[int, str]:
        """Return the versions of the issues that were changed since then, by number."""
        with self._explained():
            listed = self._issues(project).list(
                updated_after=since.isoformat(), per_page=PAGE, iterator=True, **_NO_WAIT
            )
            return {
                int(each.attributes["iid"]): str(each.attributes["updated_at"]) for each in listed
            }

    def _issues(self, project: str) -> Any:
        return self._client.projects.get(project, lazy=True).issues

    def _update(self, project: str, number: int, **changed: str) -> None:
        with self._explained():
            self._issues(project).update(number, changed, **_NO_WAIT)

    def _notes(self, project: str, number: int) -> Iterator[dict[str, Any]]:
        """Give notes, GitLab's own remarks too, newest first."""
        issue = self._issues(project).get(number, lazy=True)
        for page in range(1, PAGES + 1):
            with self._explained():
                found = issue.notes.list(
                    order_by="created_at",
                    sort="desc",
                    per_page=PAGE,
                    page=page,
                    get_all=False,
                    **_NO_WAIT,
                )
            for note in found:
                yield note.attributes
            if len(found) < PAGE:
                return

    def _own_id(self) -> int:
        if not self._me:
            with self._explained():
                answer: Any = self._client.http_get("/user", **_NO_WAIT)
            self._me = int(answer["id"])
        return self._me

    def _note_retry(self, answer: requests.Response, *_: object, **__: object) -> None:
        self.pause = 0.0
        with suppress(ValueError):
            self.pause = float(answer.headers.get("Retry-After", "0"))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except requests.RequestException as exc:
            raise silent(self._forge, exc) from exc
        except GitlabError as exc:
            status = exc.response_code or 500
            raise said_no(self._forge, status, exc.error_message, seconds=self.pause) from exc


def _issue(found: dict[str, Any]) -> Issue:
    return Issue(
        number=int(found["iid"]),
        title=found["title"],
        text=found["description"] or "",
        version=str(found["updated_at"]),
        closed=found["state"] == "closed",
        labels=frozenset(found["labels"]),
    )


def _plain(item: str) -> str:
    """Return what of an item's text GitLab's remark keeps: it escapes the rest."""
    return re.sub(r"\W+", "", item)
