"""Where does one run of a plan stand?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from flagstaff.flags.change import Boolean, PercentageOfActors, PercentageOfTime
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.evidence.durations import DurationEvidence
from flagstaff.rollouts.evidence.ratio import Evidence
from flagstaff.rollouts.evidence.volume import VolumeEvidence
from flagstaff.rollouts.guard import Arm
from flagstaff.rollouts.plan import CleanupPart, DeleteFlag, Plan, Preset, SetGate, Step
from flagstaff.rollouts.query import NOWHERE, Place

NO_JOBS = Arm()
NO_EVIDENCE = Evidence()
NO_VOLUME = VolumeEvidence()
NO_DURATIONS = DurationEvidence()


class Phase(StrEnum):
    """The whole rollout in one word."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    EXPIRED = "expired"

    @property
    def finished(self) -> bool:
        """Return whether nothing more will happen; an expired one can be taken up again."""
        return self in {Phase.COMPLETED, Phase.ROLLED_BACK}


class StepStatus(StrEnum):
    """One step in one word: `active` works by itself, `waiting` needs a person."""

    PENDING = "pending"
    ACTIVE = "active"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        """Return whether the rollout has moved past the step."""
        return self in {StepStatus.DONE, StepStatus.SKIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's yes."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """How one step stands.

    Args:
        since: when it began.
        until: when it goes on by itself, at the earliest: the end of a bake or a wait, of what a
            change of the flag is held by, of the time that a check or an approval has.
        note: the result in words, or what is being waited for.
        approved_by: who has said yes, also before the step began.
        overrides: the policies that the yes overruled.
        approvals: every yes, where several are needed.
        output: the last that a command has said.
        admitted: whether what it requires and its condition were looked at, and hold.
        unwanted: whether it was skipped because its condition does not hold.
        tries: how often it has failed and was tried again.
        retry_at: when it is tried again.
        before: the gates just before it changed them.
        undone: whether it was begun before, and taken back by going back one stage.
    """

    id: str
    status: StepStatus = StepStatus.PENDING
    since: datetime | None = None
    until: datetime | None = None
    finished_at: datetime | None = None
    note: str = ""
    by: str = ""
    approved_by: str = ""
    approval_note: str = ""
    overrides: tuple[str, ...] = ()
    approvals: tuple[Approval, ...] = ()
    output: str = ""
    admitted: bool = False
    unwanted: bool = False
    tries: int = 0
    retry_at: datetime | None = None
    before: tuple[SavedGates, ...] = ()
    undone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedGates:
    """The flag's gates in one environment just before a change; `None` means not set at all."""

    environment: str
    gates: Gates | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleanup:
    """The branch that removes the flag: its parts, and what is left for people."""

    branch: str
    commit: str
    parts: tuple[CleanupPart, ...]
    files: int
    residues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What one guard knows, and up to which counts.

    `treatment` and `control` are the counts that are in the evidence, so that what is read twice
    counts once. `before` are the jobs under the control names before this stage, `stage_control`
    those in it. `at` is when it was last read; `alone_at` when harm was shown without a control.
    `place` is how far the source was read for these counts, `volume` whether those with the flag on
    are as many as they should be. `blind_since` is when data began to be missing. `durations` is
    what is known of a guard that compares in pairs; its `evidence` then only counts jobs and polls.
    """

    guard: str
    evidence: Evidence = NO_EVIDENCE
    treatment: Arm = NO_JOBS
    control: Arm = NO_JOBS
    before: Arm = NO_JOBS
    stage_control: Arm = NO_JOBS
    at: datetime | None = None
    alone_at: datetime | None = None
    place: Place = NOWHERE
    volume: VolumeEvidence = NO_VOLUME
    blind_since: datetime | None = None
    durations: DurationEvidence = NO_DURATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One run of a plan for one flag.

    `before` are the gates just before its first change in each environment. `epoch` counts retries,
    so that a repeated effect gets a key of its own. `merged` is the commit that brought the cleanup
    to the main branch. `watch_since` is when the first production environment changed; `watches`
    what each guard has seen since. `progress_at` is when something last went forward, and
    `warned_at` when people were told that nothing has for long.
    """

    id: int
    plan: Plan
    phase: Phase = Phase.PENDING
    states: tuple[StepState, ...] = ()
    before: tuple[SavedGates, ...] = ()
    watch_since: datetime | None = None
    cleanup: Cleanup | None = None
    merged: str = ""
    reason: str = ""
    epoch: int = 0
    paused_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    watches: tuple[Watch, ...] = ()
    started_by: str = ""
    progress_at: datetime | None = None
    warned_at: datetime | None = None

    @classmethod
    def of(cls, plan: Plan, *, rollout_id: int = 0) -> Rollout:
        """Return a rollout of `plan` that has not begun, with the issue's own marks taken over."""
        return cls(id=rollout_id, plan=plan, states=tuple(_initial(step) for step in plan.steps))

    @property
    def current(self) -> Step | None:
        """Return the first step that is not finished, or `None` at the end."""
        for step, state in zip(self.plan.steps, self.states, strict=True):
            if not state.status.finished:
                return step
        return None

    def state(self, step_id: str) -> StepState:
        """Return how the step stands.

        Raises:
            KeyError: the plan has no such step.
        """
        for state in self.states:
            if state.id == step_id:
                return state
        raise KeyError(step_id)

    def with_state(self, changed: StepState) -> Rollout:
        """Return the rollout with one step's state replaced."""
        states = tuple(changed if state.id == changed.id else state for state in self.states)
        return replace(self, states=states)

    @property
    def touched(self) -> tuple[str, ...]:
        """Return the environments in which this rollout itself has changed the flag."""
        found: dict[str, None] = {}
        for step, state in zip(self.plan.steps, self.states, strict=True):
            ours = step.preset is Preset.OPEN and state.status is StepStatus.DONE
            if ours and isinstance(step.action, SetGate | DeleteFlag):
                found.update(dict.fromkeys(step.action.environments))
        return tuple(found)

    @property
    def watching(self) -> bool:
        """Return whether guards decide: from the first production change until the merge."""
        over = self.phase.finished or self.phase is Phase.EXPIRED
        return self.watch_since is not None and not self.merged and not over

    @property
    def production_changes(self) -> tuple[Step, ...]:
        """Return the steps that have changed the flag in production, in order."""
        production = {*self.plan.production}
        return tuple(
            step
            for step, state in zip(self.plan.steps, self.states, strict=True)
            if state.status is StepStatus.DONE
            and isinstance(step.action, SetGate | DeleteFlag)
            and production & {*step.action.environments}
        )

    @property
    def percentage(self) -> float:
        """Return for how many people in 100 the flag is on in production, as the steps left it.

        Single actors count as none.
        """
        for step in reversed(self.production_changes):
            match step.action:
                case SetGate(change=Boolean(value=value)):
                    return 100.0 if value else 0.0
                case SetGate(
                    change=PercentageOfActors(value=share) | PercentageOfTime(value=share)
                ):
                    return float(share)
                case _:
                    continue
        return 0.0


def _initial(step: Step) -> StepState:
    match step.preset:
        case Preset.DONE:
            return StepState(
                id=step.id, status=StepStatus.DONE, note=step.reason or "already done in the issue"
            )
        case Preset.SKIPPED:
            return StepState(
                id=step.id, status=StepStatus.SKIPPED, note=step.reason or "skipped in the issue"
            )
        case Preset.OPEN:
            return StepState(id=step.id)
