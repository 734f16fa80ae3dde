"""How do answers and reports look as JSON?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from flagstaff.commands.codec import encode
from flagstaff.services.clock import Clock
from flagstaff.services.telemetry import Answered, Heartbeat
from flagstaff.services.views import (
    AuditView,
    FlagView,
    GuardView,
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
    """One guard with its latest reading."""

    name: str
    verdict: str | None
    evidence: str
    control: ArmBody
    treatment: ArmBody
    ratio: float | None
    max_ratio: float
    min_jobs: int

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
            ratio=guard.ratio,
            max_ratio=guard.max_ratio,
            min_jobs=guard.min_jobs,
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
        cells = [
            CellBody(
                environment=cell.environment,
                state=cell.state,
                words=cell.words,
                gates=cell.gates.to_json() if cell.gates is not None else None,
                updated_at=cell.updated_at,
                updated_by=cell.updated_by,
            )
            for cell in flag.cells
        ]
        return cls(
            name=flag.name,
            type=flag.type,
            default=flag.default,
            defined=flag.defined,
            environments=cells,
            rollout=flag.rollout,
        )


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
    before: Any
    after: Any

    @classmethod
    def of(cls, entry: AuditView) -> AuditBody:
        """Return the body for an entry."""
        return cls.model_validate(entry)


Name = Annotated[str, Field(max_length=255)]


class ExposureBody(Body):
    """How often a flag gave this answer since the last report."""

    flag: Name
    value: bool
    gate: Annotated[str, Field(max_length=40)]
    count: Annotated[int, Field(ge=0, le=10**12)]


class ReportBody(Body):
    """What an application's client reports; parts it does not know are left aside."""

    instance: Name
    environment: Name
    sdk: Name = ""
    version: int | None = None
    exposures: Annotated[list[ExposureBody], Field(max_length=5_000)] = Field(default_factory=list)

    def heartbeat(self, now: datetime) -> Heartbeat:
        """Return the sign of life."""
        return Heartbeat(
            instance=self.instance,
            environment=self.environment,
            sdk=self.sdk,
            version=self.version,
            at=now,
        )

    def answers(self) -> Iterator[Answered]:
        """Yield what the flags answered."""
        for each in self.exposures:
            yield Answered(
                environment=self.environment,
                flag=each.flag,
                value=each.value,
                gate=each.gate,
                count=each.count,
            )
