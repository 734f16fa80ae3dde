"""What does GitLab say about a merge request, and how is something said on an issue there, once?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import gitlab
import requests
from gitlab.exceptions import GitlabError

from flagstaff.definitions.forges import Forge, issue_at
from flagstaff.errors import NotFound, Refused, Unavailable, UsageError
from flagstaff.services.ports import MergeRequest

TIMEOUT: Final = 10
"""Seconds; far below the time after which a try counts as lost."""

NEWEST: Final = 100
"""Notes that are read before a second try; more are not written while one is under way."""

UNAUTHORISED, FORBIDDEN, MISSING, TOO_MANY, BROKEN = 401, 403, 404, 429, 500
_CALM: Final[dict[str, Any]] = {"obey_rate_limit": False, "retry_transient_errors": False}
_NUMBER: Final = re.compile(r"!([0-9]{1,12})")
_PATH: Final = re.compile(
    r"/(?P<project>.+?)/(?:-/)?merge_requests/(?P<number>[0-9]{1,12})(?:/.*)?"
)


class GitLabRequests:
    """One GitLab; safe from any thread, for each call has a client of its own."""

    def __init__(self, forge: Forge, token: str) -> None:
        self._forge = forge
        self._token = token

    def find(self, name: str) -> MergeRequest | None:
        """Return the merge request with this address or number, `None` for other names.

        Raises:
            UsageError: it is of another project or forge.
            NotFound: there is none.
            Unavailable: GitLab does not answer.
            Refused: GitLab says no.
        """
        place = self._place(name)
        if place is None:
            return None
        project, number = place
        shown = f"{project}!{number}"
        with self._client(shown) as client:
            lazy = client.projects.get(project, lazy=True)
            found = lazy.mergerequests.get(number, **_CALM).attributes
        merged = found["state"] == "merged"
        commit = found.get("merge_commit_sha") or found.get("squash_commit_sha") or found["sha"]
        return MergeRequest(
            name=shown,
            title=str(found["title"]),
            state=str(found["state"]),
            commit=str(commit) if merged else "",
        )

    def knows(self, address: str) -> bool:
        """Return whether an address is that of an issue here."""
        return issue_at(address, (self._forge,)) is not None

    def comment(self, address: str, text: str, *, mark: str) -> None:
        """Write a comment that holds `mark` on an issue, unless there is one.

        Raises:
            NotFound: there is no such issue.
            Unavailable: GitLab does not answer.
            Refused: GitLab says no, or the issue is elsewhere.
        """
        place = issue_at(address, (self._forge,))
        if place is None:
            raise Refused(f"{address} is no issue on {self._forge.host}")
        with self._client(str(place)) as client:
            project = client.projects.get(place.project, lazy=True)
            notes = project.issues.get(place.number, lazy=True).notes
            newest = notes.list(
                order_by="created_at", sort="desc", per_page=NEWEST, get_all=False, **_CALM
            )
            if not any(mark in note.body for note in newest):
                notes.create({"body": text}, **_CALM)

    def _place(self, name: str) -> tuple[str, int] | None:
        if (found := _NUMBER.fullmatch(name)) and self._forge.project:
            return self._forge.project, int(found[1])
        if "://" not in name:
            return None
        ours = self._forge.project or f"projects on {self._forge.host}"
        elsewhere = UsageError(
            f"{name[:200]} is of another project", hint=f"only merge requests of {ours} are known"
        )
        if not name.lower().startswith(f"{self._forge.url.lower()}/"):
            raise elsewhere
        request = _PATH.fullmatch(urlsplit(name[len(self._forge.url) :]).path)
        if request is None:
            raise elsewhere
        project = unquote(request["project"])
        if self._forge.project and project != self._forge.project:
            raise elsewhere
        return project, int(request["number"])

    @contextmanager
    def _client(self, about: str) -> Iterator[gitlab.Gitlab]:
        host = self._forge.host
        try:
            with gitlab.Gitlab(
                self._forge.url,
                private_token=self._token or None,
                timeout=TIMEOUT,
                user_agent="flagstaff",
            ) as client:
                yield client
        except GitlabError as exc:
            raise self._explained(exc, about) from exc
        except requests.RequestException as exc:
            raise Unavailable(f"{host} does not answer: {type(exc).__name__}") from exc
        except (KeyError, AttributeError) as exc:
            raise Unavailable(f"{host} answers in a shape that is not understood: {exc!r}") from exc

    def _explained(self, error: GitlabError, about: str) -> NotFound | Refused | Unavailable:
        host, status = self._forge.host, error.response_code or 0
        place = self._forge.token_file or self._forge.token_env
        if status == MISSING:
            return NotFound(
                f"{about} does not exist on {host}, or the token may not see it",
                hint=f"look at the address, and at what the token in {place} may see",
            )
        if status in {UNAUTHORISED, FORBIDDEN}:
            return Refused(
                f"{host} refuses it with {status}",
                hint=f"put a token that may do it into {place}",
            )
        if status in {0, TOO_MANY} or status >= BROKEN:
            return Unavailable(f"{host} answers {status or 'with no JSON'}: later")
        return Refused(f"{host} says no to {about} with {status}")
