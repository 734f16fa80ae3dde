"""What do the services need from the outside, and do not fetch themselves?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flagstaff.rollouts.event import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit as a person names it."""

    sha: str
    title: str

    @property
    def short(self) -> str:
        """Return the first twelve characters of the hash."""
        return self.sha[:12]


class Repository(Protocol):
    """The project's history. Every method may raise `Unavailable`."""

    def find(self, name: str) -> Commit | None:
        """Return the commit that a hash, branch or tag names, or `None`."""
        ...

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Return whether `ancestor` is `descendant` or lies before it; unknown ones do not."""
        ...

    def merge_of(self, commit: str, branch: str) -> str:
        """Return the commit that brought `commit` to the branch, empty while it is not there."""
        ...

    def first_release(self, commit: str) -> str:
        """Return the lowest version tag that contains the commit, empty when there is none."""
        ...

    def stable_branch(self, version: str) -> str:
        """Return the stable branch of `X.Y`, empty when it has not been cut."""
        ...

    def introduction(self, pattern: str) -> Commit | None:
        """Return the commit that brought the first file matching `pattern` to the main branch."""
        ...

    def introductions(self, folder: str) -> Mapping[str, datetime]:
        """Return when the first file of each name, without its ending, came into the folder."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """A merge request on a forge; `commit` is what brought it to its branch, empty until then."""

    name: str
    title: str
    state: str
    commit: str


class MergeRequests(Protocol):
    """Whoever knows the merge requests of the project."""

    def find(self, name: str) -> MergeRequest | None:
        """Return the one with this address or number, `None` where no forge would know it.

        Raises:
            UsageError: it is of another project or forge, or the address is none of a request.
            NotFound: the forge knows none.
            Unavailable: the forge does not answer.
            Refused: the forge does not let us look.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueText:
    """An issue on a forge, as it was read; `url` is its one address."""

    url: str
    title: str
    text: str


class IssueReader(Protocol):
    """Whoever can read the issues of the project's forges."""

    def read(self, text: str) -> IssueText:
        """Return the issue that an address means.

        Raises:
            FlagstaffError: there is none, or the forge does not show it.
        """
        ...


class HealthCheck(Protocol):
    """Whoever knows whether production is well and no incident is open."""

    def __call__(self) -> Answer:
        """Return a yes or a no, in its words.

        Raises:
            FlagstaffError: nobody answers.
        """
        ...


GROUPS = frozenset({"all", "channel", "here", "everyone"})
"""Behind an @, these are not the name of a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Somebody who is on call.

    Attributes:
        level: 1 is called first.
        until: when the turn ends, if that is known.
        mention: what notifies them in Slack, empty where it is not known.
    """

    name: str
    level: int = 1
    until: datetime | None = None
    mention: str = ""

    @property
    def handle(self) -> str:
        """Return the name as chats notify people by it, never a word that notifies everybody.

        >>> OnDuty(name="ada").handle, OnDuty(name="here").handle
        ('@ada', 'here')
        """
        return self.name if self.name.lower() in GROUPS else f"@{self.name}"


class OnCallBook(Protocol):
    """Whoever knows who is on call."""

    @property
    def default(self) -> str:
        """Return the service that is meant when none is named."""
        ...

    def services(self) -> tuple[str, ...]:
        """Return the services it knows.

        Raises:
            FlagstaffError: that cannot be read.
        """
        ...

    def on_duty(self, service: str, now: datetime) -> tuple[OnDuty, ...]:
        """Return who is on call for a service that it knows, those who are called first first.

        Raises:
            FlagstaffError: nobody answers, or what is written cannot be read.
        """
        ...
