"""In which place may jobs of a name wait, and what was found there?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from flagstaff.workers.messages import Holds


class State(StrEnum):
    """What is known of a place; only `EMPTY` is drained."""

    FOUND = "found"
    EMPTY = "empty"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place, at one time.

    Attributes:
        place: in words, such as `queue project_service`.
        count: so many jobs of the name are there.
        embedded: so many other jobs there have one of the name to follow them.
        exact: whether the numbers are; a queue that moved while it was read has none that is.
        doubt: why more may be there; empty when not.
    """

    place: str
    count: int = 0
    embedded: int = 0
    exact: bool = True
    doubt: str = ""

    @classmethod
    def of(cls, place: str, holds: Holds, *, exact: bool = True, doubt: str = "") -> Place:
        """Return a place by what its messages hold."""
        if holds.unreadable and not doubt:
            doubt = f"{holds.unreadable} messages cannot be read"
        return cls(place=place, count=holds.own, embedded=holds.embedded, exact=exact, doubt=doubt)

    @property
    def state(self) -> State:
        """Return what is known of it."""
        if self.count or self.embedded:
            return State.FOUND
        return State.UNKNOWN if self.doubt else State.EMPTY

    def to_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {**asdict(self), "state": self.state.value}
