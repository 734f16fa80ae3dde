"""Which forges keep a project's issues, and how is one reached?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from flagstaff.errors import UsageError

USUAL_POLL: Final = timedelta(minutes=1)
_PATH: Final = r"[A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)+"
"""No part of a project's path begins with a dot, so that none leads elsewhere."""
PROJECT: Final = re.compile(_PATH, re.ASCII)
_ISSUE: Final = re.compile(
    rf"/(?P<project>{_PATH}?)/(?:-/)?(?:issues|work_items)/(?P<number>[0-9]{{1,12}})", re.ASCII
)
_SHORT: Final = re.compile(rf"(?P<project>{_PATH})?#(?P<number>[0-9]{{1,12}})", re.ASCII)


class ForgeKind(StrEnum):
    """Whose API it speaks."""

    GITLAB = "gitlab"
    GITHUB = "github"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """One forge, as `forges:` in `flagstaff.yml` describes it.

    Attributes:
        name: what the project calls it.
        url: where people find it, without a slash at the end.
        project: where new issues go, and what `#12` alone is a number of.
        token_env: the environment variable with the token.
        token_file: a file with it instead.
        webhook_secret_env: the environment variable with what webhooks show or are signed with.
        webhook_secret_file: a file with it instead.
        poll: how often it is asked for changes, in real time.
    """

    name: str
    kind: ForgeKind
    url: str
    project: str = ""
    token_env: str = ""
    token_file: Path | None = None
    webhook_secret_env: str = ""
    webhook_secret_file: Path | None = None
    poll: timedelta = USUAL_POLL

    @property
    def host(self) -> str:
        """Return the host, as people name it."""
        return urlsplit(self.url).netloc

    def issue_url(self, project: str, number: int) -> str:
        """Return the one address under which an issue is kept here."""
        middle = "/-/issues/" if self.kind is ForgeKind.GITLAB else "/issues/"
        return f"{self.url}/{project}{middle}{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueAddress:
    """One issue on one of the project's forges."""

    forge: Forge
    project: str
    number: int

    @property
    def url(self) -> str:
        """Return its address; the same for every way of writing it."""
        return self.forge.issue_url(self.project, self.number)

    def __str__(self) -> str:
        """Return how people write it."""
        return f"{self.project}#{self.number}"


def issue_at(text: str, forges: tuple[Forge, ...]) -> IssueAddress | None:
    """Return the issue that an address means, `None` where no forge of the project has it.

    It may be an address of a page, `group/project#12`, or `#12` of the first forge's own project.
    """
    if found := _SHORT.fullmatch(text):
        forge = next((each for each in forges if found["project"] or each.project), None)
        if forge is None:
            return None
        project = found["project"] or forge.project
        return IssueAddress(forge=forge, project=project, number=int(found["number"]))
    for forge in forges:
        if not text.lower().startswith(f"{forge.url.lower()}/"):
            continue
        path = urlsplit(text[len(forge.url) :]).path.rstrip("/")
        if found := _ISSUE.fullmatch(path):
            number = int(found["number"])
            return IssueAddress(forge=forge, project=found["project"], number=number)
    return None


def forge_named(name: str, forges: tuple[Forge, ...]) -> Forge:
    """Return the forge with this name or host; the only one, when no name is given.

    Raises:
        UsageError: there is none, or there are several to choose from.
    """
    known = ", ".join(forge.name for forge in forges)
    if not forges:
        raise UsageError(
            "no forge is connected", hint="describe one under `forges:` in flagstaff.yml"
        )
    if not name and len(forges) > 1:
        raise UsageError("which forge is meant?", hint=f"this project has {known}")
    found = next((each for each in forges if name in {each.name, each.host, ""}), None)
    if found is None:
        raise UsageError(f"there is no forge {name[:60]!r}", hint=f"this project has {known}")
    return found


def reads_like_issue(text: str) -> bool:
    """Return whether a word means an issue on a forge rather than a file."""
    return "://" in text or _SHORT.fullmatch(text) is not None
