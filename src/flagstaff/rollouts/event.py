"""What can happen to a rollout?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flagstaff.rollouts.condition import Facts
from flagstaff.rollouts.guard import Measurement
from flagstaff.rollouts.rollout import Cleanup, SavedGates


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A person starts it; `before` are gates that a rollback will restore, if known already."""

    by: str
    before: tuple[SavedGates, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the outside says to a question: yes or no, and in words.

    `until` is when a no ends by itself, if that is known, and `output` the last that a command has
    said.
    """

    yes: bool
    text: str
    until: datetime | None = None
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The world as the engine saw it just now; `None` where nobody asked or nobody answered.

    `merged` is the merge commit, empty while the request is open. `policy` says whether the next
    change of the flag is allowed at this moment, `closing` whether the issue may be closed. `check`
    answers the check that the step is, and `facts` are for conditions. `harmful` says that the
    measurements show harm, so that nothing else was asked.
    """

    deployed: Answer | None = None
    released: Answer | None = None
    merged: str | None = None
    policy: Answer | None = None
    closing: Answer | None = None
    check: Answer | None = None
    facts: Facts | None = None
    measurements: tuple[Measurement, ...] = ()
    harmful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectDone:
    """An external effect has happened; `ask` says what a person still has to do about it.

    `issue` is the address of the rollout's issue, when that has just been made.
    """

    step: str
    note: str = ""
    ask: str = ""
    issue: str = ""
    cleanup: Cleanup | None = None
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFailed:
    """An external effect did not happen and is not tried again by itself."""

    step: str
    error: str
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectHeld:
    """An external effect could not happen yet; it is tried again by itself until it does."""

    step: str
    reason: str
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A person says yes to a step, or that a step of theirs is done.

    `overrides` names the policies that the step need not obey, for the reason given.
    """

    step: str
    by: str
    reason: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A person says no to a step."""

    step: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A person skips a step, with the reason."""

    step: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """A person ends a wait early, the current one."""

    step: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A person stops progress; guards go on watching."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A person lets a paused rollout go on, or takes up one that has expired.

    The pause does not count as waiting time.
    """

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """A person has a failed step tried again."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted:
    """A person rolls everything back."""

    by: str
    reason: str


Event = (
    Started
    | Observed
    | EffectDone
    | EffectFailed
    | EffectHeld
    | Approved
    | Rejected
    | Skipped
    | Promoted
    | Paused
    | Resumed
    | Retried
    | Aborted
)
