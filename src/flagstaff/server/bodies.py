"""How do answers and reports look as JSON?"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from flagstaff.commands.codec import encode
from flagstaff.flags.evaluation import Gate, Reason
from flagstaff.services.audience import Processes
from flagstaff.services.clock import Clock
from flagstaff.services.guard_views import GuardView
from flagstaff.services.telemetry import Answered
from flagstaff.services.views import (
    AuditView,
    FlagCell,
    FlagView,
    RolloutSummary,
    RolloutView,
    StepView,
)


class Body(BaseModel):
    """Read from values of ours by their attributes."""

    model_config = ConfigDict(from_attributes=True)


class OutcomeBody(Body):
    """What came of a command."""

    ok: bool
    text: str
    next: str
    data: dict[str, Any]


class StepBody(Body):
    """One step; `seconds_left` are real seconds until a wait ends at the earliest."""

    id: str
    stage: str
    title: str
    kind: str
    status: str
    since: datetime | None
    until: datetime | None
    finished_at: datetime | None
    note: str
    output: str
    by: str
    approved_by: str
    line: int
    production: bool
    seconds_left: float | None = None

    @classmethod
    def of(cls, step: StepView, clock: Clock) -> StepBody:
        """Return the body for a step."""
        body = cls.model_validate(step)
        if step.until is not None and not step.status.finished:
            body.seconds_left = max(0.0, clock.seconds_until(step.until))
        return body


class SummaryBody(Body):
    """One rollout on one line."""

    id: int
    flag: str
    title: str
    phase: str
    reason: str
    step: StepBody | None
    done: int
    total: int
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, summary: RolloutSummary) -> SummaryBody:
        """Return the body for a rollout's line."""
        return cls.model_validate(summary)


class ArmBody(Body):
    """Finished jobs on one side, and how many of them failed."""

    names: tuple[str, ...]
    total: int
    failed: int


class GuardBody(Body):
    """One guard with its latest reading.

    `longer` is the share of pairs in which the one with the flag on took longer, 0 to 1; null where
    nothing is compared in pairs.
    """

    name: str
    verdict: str | None
    evidence: str
    control: ArmBody
    treatment: ArmBody
    baseline: ArmBody
    standing: str | None
    ratio: float | None
    low: float
    high: float | None
    harm_ratio: float
    safe_ratio: float
    safe_below: float
    harm: float
    harm_limit: float
    safe: float
    safe_limit: float
    dry_run: bool
    required: bool
    on_harm: str
    longer: float | None

    @classmethod
    def of(cls, guard: GuardView) -> GuardBody:
        """Return the body for a guard."""
        return cls(
            name=guard.name,
            verdict=guard.verdict,
            evidence=guard.evidence,
            control=ArmBody(
                names=guard.control_names, total=guard.control.total, failed=guard.control.failed
            ),
            treatment=ArmBody(
                names=guard.treatment_names,
                total=guard.treatment.total,
                failed=guard.treatment.failed,
            ),
            baseline=ArmBody(
                names=guard.control_names, total=guard.baseline.total, failed=guard.baseline.failed
            ),
            standing=guard.standing,
            ratio=guard.ratio,
            low=guard.low,
            high=guard.high,
            harm_ratio=guard.harm_ratio,
            safe_ratio=guard.safe_ratio,
            safe_below=guard.safe_below,
            harm=guard.harm,
            harm_limit=guard.harm_limit,
            safe=guard.safe,
            safe_limit=guard.safe_limit,
            dry_run=guard.dry_run,
            required=guard.required,
            on_harm=guard.on_harm,
            longer=guard.longer,
        )


class RolloutBody(SummaryBody):
    """One rollout with its steps, guards and plan; `now` is the server's time."""

    steps: list[StepBody]
    guards: list[GuardBody]
    watching: bool
    plan: dict[str, Any]
    issue_path: str
    now: datetime

    @classmethod
    def whole(cls, view: RolloutView, clock: Clock) -> RolloutBody:
        """Return the body for a rollout."""
        return cls(
            **SummaryBody.of(view.summary).model_dump(),
            steps=[StepBody.of(each, clock) for each in view.steps],
            guards=[GuardBody.of(each) for each in view.guards],
            watching=view.watching,
            plan=encode(view.plan),
            issue_path=view.issue_path,
            now=clock.now(),
        )


class CellBody(Body):
    """One flag in one environment; `gates` is null where it was never set."""

    environment: str
    state: str
    words: str
    gates: dict[str, Any] | None
    updated_at: datetime | None
    updated_by: str

    @classmethod
    def of(cls, cell: FlagCell) -> CellBody:
        """Return the body for a flag in an environment."""
        return CellBody(
            environment=cell.environment,
            state=cell.state,
            words=cell.words,
            gates=cell.gates.to_json() if cell.gates is not None else None,
            updated_at=cell.updated_at,
            updated_by=cell.updated_by,
        )


class FlagBody(Body):
    """One flag in every environment."""

    name: str
    type: str
    default: bool
    defined: bool
    environments: list[CellBody]
    rollout: int | None

    @classmethod
    def of(cls, flag: FlagView) -> FlagBody:
        """Return the body for a flag."""
        return cls(
            name=flag.name,
            type=flag.type,
            default=flag.default,
            defined=flag.defined,
            environments=[CellBody.of(each) for each in flag.cells],
            rollout=flag.rollout,
        )


class PlacedFlagBody(CellBody):
    """One flag in one environment; its `ETag` is another one whenever this changes."""

    flag: str
    type: str
    default: bool
    defined: bool

    @classmethod
    def placed(cls, flag: FlagView, cell: FlagCell) -> PlacedFlagBody:
        """Return the body for a flag in an environment."""
        return cls(
            **CellBody.of(cell).model_dump(),
            flag=flag.name,
            type=flag.type,
            default=flag.default,
            defined=flag.defined,
        )


class QuestionBody(BaseModel):
    """Whom a flag is asked about; without an actor, about nobody in particular."""

    model_config = ConfigDict(extra="forbid")

    actor: Annotated[str, Field(max_length=255)] = ""
    attributes: dict[str, Any] = Field(default_factory=dict)
    environments: Annotated[list[str], Field(max_length=100)] = Field(default_factory=list)


class EvaluationBody(Body):
    """What a flag answers in an environment; `words` say why, and what would change it."""

    environment: str
    value: bool
    reason: Reason
    gate: Gate
    variant: str
    payload: Any
    version: int
    words: str


class DeploymentBody(Body):
    """A commit that began to run in an environment or deploy stage."""

    id: int
    environment: str
    sha: str
    at: datetime
    who: str


class EnvironmentBody(Body):
    """One environment; `version` grows with every change of a flag there."""

    name: str
    version: int


class SnapshotBody(Body):
    """All flags of an environment at one version, as the SDK reads them."""

    environment: str
    version: int
    flags: dict[str, dict[str, Any]]


class ProblemBody(Body):
    """What went wrong, after RFC 9457; `code` is for programs, `hint` says what to do."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
    problems: list[dict[str, Any]]


class AuditBody(Body):
    """One thing that was done."""

    id: int
    at: datetime
    who: str
    source: str
    action: str
    flag: str
    environment: str
    rollout: int | None
    step: str
    text: str
    reason: str
    override: str
    before: Any
    after: Any
    hash: str

    @classmethod
    def of(cls, entry: AuditView) -> AuditBody:
        """Return the body for an entry."""
        return cls.model_validate(entry)


class ProcessesBody(Body):
    """Processes of a kind with the same flags; `seen`: they have the environment's newest."""

    environment: str
    application: str
    kind: str
    version: str
    snapshot_version: int | None
    seen: bool | None
    processes: int
    heard_at: datetime
    seconds_silent: float


class AnsweredBody(Body):
    """How often a flag answered this in an environment since the server began."""

    environment: str
    value: bool
    gate: str
    count: int


class WatchedFlagBody(FlagBody):
    """One flag in every environment, with who works with it and what it answered there."""

    processes: list[ProcessesBody]
    exposures: list[AnsweredBody]

    @classmethod
    def watched(
        cls, flag: FlagView, processes: list[Processes], answers: list[Answered]
    ) -> WatchedFlagBody:
        """Return the body for a flag."""
        return cls(
            **FlagBody.of(flag).model_dump(),
            processes=[ProcessesBody.model_validate(each) for each in processes],
            exposures=[AnsweredBody.model_validate(each) for each in answers],
        )
