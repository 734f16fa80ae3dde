"""As what can one item of an issue be understood?"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from flagstaff.rollouts.plan import Action, Preset


class Understood(StrEnum):
    """The kinds of steps, in the words of a report."""

    COMMAND = "command"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A step that has no id of its own yet; `slug` is what the id is made of."""

    slug: str
    title: str
    action: Action
    understood: Understood
    line: int = 0
    anchor: str = ""
    stage: str = ""
    preset: Preset = Preset.OPEN
    reason: str = ""
    above: tuple[int, ...] = field(default=())


MARKED = "marked as not applicable in the issue"
DONE = "already done in the issue"
