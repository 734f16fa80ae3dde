"""How does one speak with GitHub about issues?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx2

from flagstaff.definitions.forges import Forge
from flagstaff.errors import NotFound, Refused
from flagstaff.integrations.forge.errors import FORBIDDEN, MISSING, TIMEOUT, said_no, silent
from flagstaff.integrations.forge.port import Comment, Issue
from flagstaff.rollouts.effect import OpenIssue

PAGE: Final = 100
PAGES: Final = 20
VERSION: Final = "2022-11-28"
_EDITORS: Final = """
query($owner: String!, $name: String!, $number: Int!) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    issue(number: $number) { userContentEdits(first: 50) { nodes { editor { login } } } }
  }
}
"""


class GitHubIssues:
    """Issues on GitHub, through its REST API and one question to GraphQL; one thread at a time."""

    def __init__(self, forge: Forge, token: str) -> None:
        self.pause = 0.0
        self._forge = forge
        self._rest, self._graph = _addresses(forge.url)
        self._client = httpx2.Client(
            timeout=TIMEOUT,
            follow_redirects=False,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": VERSION,
                "User-Agent": "flagstaff",
            },
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def read(self, project: str, number: int) -> Issue:
        """Return an issue."""
        return _issue(self._call("GET", f"{_place(project)}/issues/{number}"))

    def write_text(self, project: str, number: int, text: str) -> None:
        """Let the issue's description read like this."""
        self._call("PATCH", f"{_place(project)}/issues/{number}", {"body": text})

    def set_labels(
        self, project: str, number: int, *, add: frozenset[str], remove: frozenset[str]
    ) -> None:
        """Give labels to an issue and take others away; the rest stay."""
        place = f"{_place(project)}/issues/{number}/labels"
        if add:
            self._call("POST", place, {"labels": sorted(add)})
        for label in sorted(remove):
            self._call("DELETE", f"{place}/{quote(label, safe='')}", missing=True)

    def set_closed(self, project: str, number: int, *, closed: bool) -> None:
        """Close an issue, or open it again."""
        wanted = {"state": "closed", "state_reason": "completed"} if closed else {"state": "open"}
        self._call("PATCH", f"{_place(project)}/issues/{number}", wanted)

    def comments(self, project: str, number: int) -> list[Comment]:
        """Return what was said about an issue, oldest first."""
        listed = self._list(f"{_place(project)}/issues/{number}/comments")
        return [Comment(id=str(each["id"]), text=each["body"] or "") for each in listed]

    def add_comment(self, project: str, number: int, text: str) -> str:
        """Say something about an issue, and return the comment's id."""
        place = f"{_place(project)}/issues/{number}/comments"
        return str(self._call("POST", place, {"body": text})["id"])

    def edit_comment(self, project: str, number: int, comment: str, text: str) -> None:
        """Let a comment read like this."""
        del number
        self._call("PATCH", f"{_place(project)}/issues/comments/{int(comment)}", {"body": text})

    def who_marked(self, project: str, number: int, item: str, *, done: bool) -> str:
        """Return who edited the description, if one person alone did since we last wrote it.

        GitHub tells who edited it and when, not who ticked which box.
        """
        del item, done
        owner, _, name = project.partition("/")
        wanted = {"owner": owner, "name": name, "number": number}
        found = self._ask({"query": _EDITORS, "variables": wanted})
        try:
            me = found["viewer"]["login"]
            edits = found["repository"]["issue"]["userContentEdits"]["nodes"]
        except (KeyError, TypeError):
            return ""
        editors = set()
        for edit in edits:
            login = (edit["editor"] or {}).get("login", "")
            if login == me:
                break
            editors.add(login)
        return editors.pop() if len(editors) == 1 else ""

    def find(self, project: str, marker: str, since: datetime) -> int | None:
        """Return the number of the issue with `marker` in its text that was made since then.

        Lists are read, and not the search, which learns of new issues only after a while.
        """
        listed = self._list(
            f"{_place(project)}/issues", state="all", sort="created", since=_moment(since)
        )
        return next(
            (int(each["number"]) for each in listed if marker in (each["body"] or "")), None
        )

    def create(self, project: str, wanted: OpenIssue) -> int:
        """Make an issue; what else is wanted of it goes along as fields."""
        body: dict[str, Any] = {
            "title": wanted.title,
            "body": wanted.text,
            "labels": list(wanted.labels),
        }
        if wanted.milestone and (number := self._milestone(project, wanted.milestone)):
            body["milestone"] = number
        number = int(self._call("POST", f"{_place(project)}/issues", body)["number"])
        if wanted.assignee:
            # Afterwards, as a name that GitHub does not know must not keep the issue from being.
            with suppress(Refused, NotFound):
                place = f"{_place(project)}/issues/{number}/assignees"
                self._call("POST", place, {"assignees": [wanted.assignee]})
        return number

    def changed(self, project: str, since: datetime) -> dict[int, str]:
        """Return the versions of the issues that were changed since then, by number."""
        listed = self._list(f"{_place(project)}/issues", state="all", since=_moment(since))
        return {int(each["number"]): str(each["updated_at"]) for each in listed}

    def _milestone(self, project: str, title: str) -> int | None:
        listed = self._list(f"{_place(project)}/milestones", state="all")
        return next((int(each["number"]) for each in listed if each["title"] == title), None)

    def _list(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        for page in range(1, PAGES + 1):
            asked = {**query, "per_page": str(PAGE), "page": str(page)}
            found = self._call("GET", path, query=asked)
            yield from found
            if len(found) < PAGE:
                return

    def _ask(self, question: dict[str, Any]) -> Any:
        answer = self._send("POST", self._graph, question)
        return answer.json().get("data") or {}

    def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        missing: bool = False,
    ) -> Any:
        answer = self._send(method, self._rest + path, body, query, missing=missing)
        return answer.json() if answer.content else {}

    def _send(
        self,
        method: str,
        url: str,
        body: Any,
        query: dict[str, str] | None = None,
        *,
        missing: bool = False,
    ) -> httpx2.Response:
        try:
            answer = self._client.request(method, url, json=body, params=query)
        except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
            raise silent(self._forge, exc) from exc
        self.pause = _seconds(answer)
        if answer.is_success or (missing and answer.status_code == MISSING):
            return answer
        words: object = answer.reason_phrase
        with suppress(ValueError, AttributeError):
            words = answer.json().get("message", words)
        raise said_no(self._forge, answer.status_code, words, seconds=self.pause)


def _addresses(url: str) -> tuple[str, str]:
    """Return where the REST API and GraphQL are: on GitHub's own cloud on a host of their own."""
    if urlsplit(url).netloc == "github.com":
        return "https://api.github.com", "https://api.github.com/graphql"
    return f"{url}/api/v3", f"{url}/api/graphql"


def _place(project: str) -> str:
    if project.count("/") != 1:
        raise Refused(f"{project} is no repository of GitHub's", hint="write OWNER/NAME, two names")
    return f"/repos/{project}"


def _seconds(answer: httpx2.Response) -> float:
    """Return after how many seconds GitHub may be asked again; 0 when it says nothing."""
    with suppress(ValueError):
        if after := answer.headers.get("retry-after"):
            return float(after)
        used_up = answer.headers.get("x-ratelimit-remaining") == "0"
        if answer.status_code in {FORBIDDEN, 429} and used_up:
            return max(1.0, float(answer.headers["x-ratelimit-reset"]) - time.time())
    return 0.0


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _issue(found: dict[str, Any]) -> Issue:
    return Issue(
        number=int(found["number"]),
        title=found["title"],
        text=found["body"] or "",
        version=str(found["updated_at"]),
        closed=found["state"] == "closed",
        labels=frozenset(each["name"] for each in found["labels"]),
    )
