"""How is a merge request opened for a branch, once, on GitLab as on GitHub?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from flagstaff.definitions.forges import Forge, ForgeKind
from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.integrations.forge.errors import TIMEOUT, said_no, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRequest:
    """A merge request (on GitHub: pull request) of `branch` into `base`."""

    branch: str
    base: str
    title: str
    text: str
    labels: tuple[str, ...] = ()


def open_request(forge: Forge, token: str, wanted: WantedRequest) -> str:
    """Open it, or bring the one that is open for the branch up to date; return its address.

    Labels that cannot be set do not keep it from being.

    Raises:
        UsageError: the forge has no project in `flagstaff.yml`.
        FlagstaffError: the forge says no, or nothing.
    """
    if not forge.project:
        raise UsageError(
            f"the forge {forge.name} has no project",
            hint="put `project: group/name` under it in flagstaff.yml",
        )
    with httpx2.Client(timeout=TIMEOUT, headers=_headers(forge, token)) as client:
        speaking = _Speaking(forge, client)
        if forge.kind is ForgeKind.GITHUB:
            return _on_github(speaking, forge.project, wanted)
        return _on_gitlab(speaking, forge.project, wanted)


@dataclass(frozen=True, slots=True)
class _Speaking:
    forge: Forge
    client: httpx2.Client

    def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Return what the forge answers.

        Raises:
            FlagstaffError: it says no, or nothing.
        """
        url = f"{_address(self.forge)}{path}"
        try:
            answer = self.client.request(method, url, json=body, params=query or None)
            if answer.is_success:
                return answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as exc:
            raise silent(self.forge, exc) from exc
        words: object = answer.reason_phrase
        with suppress(ValueError, AttributeError):
            words = answer.json().get("message", words)
        raise said_no(self.forge, answer.status_code, words)


def _on_gitlab(speaking: _Speaking, project: str, wanted: WantedRequest) -> str:
    place = f"/projects/{quote(project, safe='')}/merge_requests"
    body = {
        "title": wanted.title,
        "description": wanted.text,
        "target_branch": wanted.base,
    }
    labels = ",".join(wanted.labels)
    found = speaking.call("GET", place, source_branch=wanted.branch, state="opened")
    if found:
        more = {"add_labels": labels}  # `labels` would take away those that people have given
        answer = speaking.call("PUT", f"{place}/{int(found[0]['iid'])}", body | more)
    else:
        new = {"labels": labels, "source_branch": wanted.branch, "remove_source_branch": True}
        answer = speaking.call("POST", place, body | new)
    return str(answer["web_url"])


def _on_github(speaking: _Speaking, project: str, wanted: WantedRequest) -> str:
    place = f"/repos/{quote(project)}"
    head = f"{project.partition('/')[0]}:{wanted.branch}"
    body = {"title": wanted.title, "body": wanted.text, "base": wanted.base}
    found = speaking.call("GET", f"{place}/pulls", head=head, state="open")
    if found:
        answer = speaking.call("PATCH", f"{place}/pulls/{int(found[0]['number'])}", body)
    else:
        answer = speaking.call("POST", f"{place}/pulls", body | {"head": wanted.branch})
    if wanted.labels:
        labels = {"labels": list(wanted.labels)}
        with suppress(FlagstaffError):
            speaking.call("POST", f"{place}/issues/{int(answer['number'])}/labels", labels)
    return str(answer["html_url"])


def _headers(forge: Forge, token: str) -> dict[str, str]:
    if forge.kind is ForgeKind.GITHUB:
        said = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    else:
        said = {"PRIVATE-TOKEN": token}
    return said | {"User-Agent": "flagstaff"}


def _address(forge: Forge) -> str:
    if forge.kind is ForgeKind.GITLAB:
        return f"{forge.url}/api/v4"
    cloud = urlsplit(forge.url).netloc == "github.com"
    return "https://api.github.com" if cloud else f"{forge.url}/api/v3"
