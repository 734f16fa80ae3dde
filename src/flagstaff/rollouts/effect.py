"""What does a rollout want done?

Every effect is absolute and carries a key that is the same on every attempt. `ChangeFlag`,
`RemoveFlag` and `RestoreFlag` are our own state and happen in the transaction that moves the
rollout; the others leave through the outbox.
"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.flags.change import GateChange
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.checks import BrokerWork
from flagstaff.rollouts.plan import CloseTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFlag:
    """Apply a change to the flag in one environment."""

    key: str
    step: str
    environment: str
    change: GateChange


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFlag:
    """Delete the flag's state in one environment."""

    key: str
    step: str
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreFlag:
    """Put the flag's gates in one environment back exactly; `None` deletes them."""

    key: str
    step: str
    environment: str
    gates: Gates | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Say `text` in every channel."""

    key: str
    step: str
    channels: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCleanup:
    """Write the branch that removes the flag from the code."""

    key: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIssue:
    """Close an issue."""

    key: str
    step: str
    target: CloseTarget
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIssue:
    """Make the rollout's issue on a forge, once: `marker`, a part of `text`, tells whether it is.

    `since` is when it was first wanted, in real time as ISO text; `project` is the path of one.
    """

    key: str
    step: str
    forge: str
    project: str
    title: str
    text: str
    marker: str
    since: str
    labels: tuple[str, ...] = ()
    assignee: str = ""
    milestone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeCommand:
    """Run a command of the project, by its name."""

    key: str
    step: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBroker:
    """Rename what waits at a broker, or delete a queue; done again, it changes nothing more."""

    key: str
    step: str
    work: BrokerWork


Internal = ChangeFlag | RemoveFlag | RestoreFlag
External = Post | WriteCleanup | CloseIssue | OpenIssue | InvokeCommand | ChangeBroker
Effect = Internal | External
