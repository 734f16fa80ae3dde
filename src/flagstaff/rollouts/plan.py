"""What is a rollout going to do, step by step?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from flagstaff.flags.change import GateChange
from flagstaff.rollouts.checks import (
    CheckCommand,
    CheckDrained,
    CheckFlag,
    CheckHealth,
    CheckHttp,
    CheckWorkersReady,
    DeleteQueue,
    MigrateJobs,
    RunCommand,
    Wait,
)
from flagstaff.rollouts.guard import Guard
from flagstaff.rollouts.rules import EXPIRY, OnFail, OnInconclusive, OnTimeout, RollbackTo


class CleanupPart(StrEnum):
    """A thing the cleanup request has to contain, each a box of its own in the issue."""

    REFERENCES = "references"
    DEFINITION = "definition"
    CHANGELOG = "changelog"
    OLD_JOBS = "old_jobs"
    OLD_QUEUES = "old_queues"


class CloseTarget(StrEnum):
    """Which issue a close step closes."""

    FEATURE_ISSUE = "feature_issue"
    ROLLOUT_ISSUE = "rollout_issue"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDeployed:
    """Hold until the commit runs in every one of the environments."""

    sha: str
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGate:
    """Change the flag's gates in the environments; `overrides` as the issue names them."""

    environments: tuple[str, ...]
    change: GateChange
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bake:
    """Wait this long and until every guard has enough data and passes.

    Args:
        duration: the least time to wait.
        max_time: how long the guards may take from the last change on; `None` for as long as each
            says itself.
        on_inconclusive: what follows when they cannot tell by then; `None` for what each says.
    """

    duration: timedelta
    max_time: timedelta | None = None
    on_inconclusive: OnInconclusive | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Tell people, in the channels."""

    channels: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """A person says yes, or no; or several do.

    Args:
        role: the role whoever says yes needs where the rollout changes something; empty for the
            one that everybody needs.
        four_eyes: not whoever imported or started the rollout.
        count: how many different people have to say yes.
        timeout: how long they have, not counting pauses; `None` for ever.
        on_timeout: what follows when they have not by then.
    """

    role: str = ""
    four_eyes: bool = False
    count: int = 1
    timeout: timedelta | None = None
    on_timeout: OnTimeout = OnTimeout.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPerson:
    """A step that Flagstaff does not understand well enough to do: a person does it and says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCleanup:
    """Write the branch that removes the flag, once in a rollout, and verify one part of it."""

    part: CleanupPart


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitMerge:
    """Hold until the cleanup request is merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReleased:
    """Hold until the request is part of a release.

    `request` is a merge request, a branch or a commit; empty means the rollout's own cleanup
    request. `version` is `X.Y`; empty means any release.
    """

    request: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFlag:
    """Remove the flag's state from the environments, once the cleanup runs there."""

    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Close an issue."""

    target: CloseTarget
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A box above other boxes: done when they are."""


Action = (
    CheckDeployed
    | SetGate
    | Bake
    | Announce
    | Approve
    | AskPerson
    | OpenCleanup
    | AwaitMerge
    | CheckReleased
    | DeleteFlag
    | Close
    | Summary
    | CheckFlag
    | CheckHealth
    | CheckCommand
    | CheckHttp
    | CheckWorkersReady
    | CheckDrained
    | RunCommand
    | MigrateJobs
    | DeleteQueue
    | Wait
)


class Preset(StrEnum):
    """How a step stood in the issue before the rollout began."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do.

    `id` is unique in the plan and stays when the plan is edited. `line` is the line of the issue
    (from 1) whose box this step ticks, 0 when there is none; several steps may share one line.
    `anchor` is that line's text without its marker, by which it is found again when the issue is
    edited. `reason` says why a step is skipped.

    `requires` names earlier steps that have to be done, not skipped. `when` is a condition, see
    `rollouts.condition`; where it does not hold, the step is skipped. A check or a wait that is not
    over within `timeout` has failed, and `on_fail` says what follows a failure.
    """

    id: str
    stage: str
    title: str
    action: Action
    line: int = 0
    anchor: str = ""
    preset: Preset = Preset.OPEN
    reason: str = ""
    requires: tuple[str, ...] = ()
    when: str = ""
    timeout: timedelta | None = None
    on_fail: OnFail = field(default_factory=OnFail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How often a rollout may be wrong, and how often it is looked at.

    Args:
        false_rollback: chance that a harmless rollout is ever rolled back by its guards.
        false_safe: chance that a stage is called safe when it is not.
        poll: the least time between two readings.
    """

    false_rollback: float = 0.05
    false_safe: float = 0.1
    poll: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The recipe for one flag.

    `production` names the environments in which people are hurt when this goes wrong: guards watch
    from the first change there, and every change there is posted to `announce_to`. `rollback_to` is
    where harm and failures roll back to. Without progress for the time of `expiry`, the rollout
    expires; zero is never.
    """

    flag: str
    title: str
    steps: tuple[Step, ...]
    guards: tuple[Guard, ...] = ()
    production: tuple[str, ...] = ("production",)
    announce_to: tuple[str, ...] = ()
    owner: str = ""
    notes: tuple[str, ...] = field(default=())
    statistics: Statistics = field(default_factory=Statistics)
    rollback_to: RollbackTo = RollbackTo.BEFORE
    expiry: timedelta = EXPIRY

    def step(self, step_id: str) -> Step:
        """Return the step with this id.

        Raises:
            KeyError: the plan has no such step.
        """
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    @property
    def changed_environments(self) -> tuple[str, ...]:
        """Return the environments this plan changes the flag in, in order of appearance."""
        found: dict[str, None] = {}
        for step in self.steps:
            if isinstance(step.action, SetGate | DeleteFlag):
                found.update(dict.fromkeys(step.action.environments))
        return tuple(found)
