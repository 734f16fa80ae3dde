"""What do the services need from the outside, and do not fetch themselves?"""

from __future__ import annotations

from dataclasses import dataclass
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
