"""As what can one item of an issue be understood?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from flagstaff.rollouts.plan import Action, Preset


class Understood(StrEnum):
    """The kinds of steps, in the words of a report."""

    COMMAND = "command"
    WORDS = "change in words"
    CHECK = "check"
    WAIT = "wait"
    ANNOUNCEMENT = "announcement"
    APPROVAL = "approval"
    MERGE_REQUEST = "merge request"
    RELEASE_CHECK = "release check"
    DELETE = "delete"
    CLOSE = "close"
    PERSON = "step for a person"
    PARENT = "heading of steps"
    NOTHING = "not a step"


class Certainty(StrEnum):
    """How sure it is what a line means."""

    WRITTEN = "written"
    WORDS = "words"
    PERSON = "person"

    @classmethod
    def of(cls, kind: Understood) -> Certainty:
        """Return how sure a step of this kind is: a command says it, words do, or nobody knows."""
        if kind in _WRITTEN:
            return cls.WRITTEN
        return cls.PERSON if kind is Understood.PERSON else cls.WORDS


_WRITTEN = frozenset(
    {Understood.COMMAND, Understood.CHECK, Understood.RELEASE_CHECK, Understood.DELETE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A step that has no id of its own yet; `slug` is what the id is made of.

    `line` is that of the box, `written_at` that of the command itself where it is another. `hint`
    says what somebody may want to do about the line. `holds` is how long the change is held before
    what follows, as its own words say.
    """

    slug: str
    title: str
    action: Action
    understood: Understood
    line: int = 0
    anchor: str = ""
    stage: str = ""
    preset: Preset = Preset.OPEN
    reason: str = ""
    hint: str = ""
    written_at: int = 0
    holds: timedelta | None = None
    above: tuple[int, ...] = field(default=())


MARKED = "marked as not applicable in the issue"
DONE = "already done in the issue"
