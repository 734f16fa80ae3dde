"""What can be done with an issue, whichever forge it is on?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flagstaff.rollouts.effect import OpenIssue


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue as it was read; `version` is another one whenever it is."""

    number: int
    title: str
    text: str
    version: str
    closed: bool = False
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment; `id` is the forge's own."""

    id: str
    text: str


class IssueClient(Protocol):
    """The issues of one forge. A project is its path, such as `group/project`.

    Every method may raise `Unavailable`, which is "later", and `Refused` or `NotFound`, which a
    person has to look at. `pause` is for how many seconds the forge, by its last answer, wants to
    be left alone.
    """

    pause: float

    def read(self, project: str, number: int) -> Issue:
        """Return an issue."""
        ...

    def write_text(self, project: str, number: int, text: str) -> None:
        """Let the issue's description read like this."""
        ...

    def set_labels(
        self, project: str, number: int, *, add: frozenset[str], remove: frozenset[str]
    ) -> None:
        """Give labels to an issue and take others away; the rest stay."""
        ...

    def set_closed(self, project: str, number: int, *, closed: bool) -> None:
        """Close an issue, or open it again."""
        ...

    def comments(self, project: str, number: int) -> list[Comment]:
        """Return what was said about an issue, oldest first, without the forge's own remarks."""
        ...

    def add_comment(self, project: str, number: int, text: str) -> str:
        """Say something about an issue, and return the comment's id."""
        ...

    def edit_comment(self, project: str, number: int, comment: str, text: str) -> None:
        """Let a comment read like this."""
        ...

    def who_marked(self, project: str, number: int, item: str, *, done: bool) -> str:
        """Return who set the mark of a list item last, empty when the forge does not tell.

        `item` is the item's text, `done` says that it was ticked rather than marked otherwise.
        """
        ...

    def find(self, project: str, marker: str, since: datetime) -> int | None:
        """Return the number of the issue with `marker` in its text that was made since then."""
        ...

    def create(self, project: str, wanted: OpenIssue) -> int:
        """Make an issue, and return its number."""
        ...

    def changed(self, project: str, since: datetime) -> dict[int, str]:
        """Return the versions of the issues that were changed since then, by number."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
