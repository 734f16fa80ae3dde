"""How do answers and reports look as JSON?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from flagstaff.commands.codec import encode
from flagstaff.services.audience import Processes
from flagstaff.services.clock import Clock
from flagstaff.services.telemetry import Answered, Heartbeat, Unknown
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


LONGEST = 255


def _shortened(value: object) -> object:
    return value[:LONGEST] if isinstance(value, str) else value


Name = Annotated[str, Field(max_length=LONGEST)]
Label = Annotated[str, BeforeValidator(_shortened)]
"""A text for people to read: one that is too long is cut, not refused."""

Count = Annotated[int, Field(ge=0, le=10**12)]


class ExposureBody(Body):
    """How often a flag gave this answer since the last report."""

    flag: Name
    value: bool
    gate: Annotated[str, Field(max_length=40)]
    count: Count


class UnknownBody(BaseModel):
    """How often a flag was asked for that is not defined."""

    flag: Label
    count: Count


class ReportBody(Body):
    """What an application's client reports; parts it does not know are left aside."""

    instance: Label
    environment: Name
    application: Label = ""
    kind: Label = ""
    version: Label = ""
    snapshot_version: Annotated[int, Field(ge=0)] | None = None
    sdk: Label = ""
    exposures: Annotated[list[ExposureBody], Field(max_length=5_000)] = Field(default_factory=list)
    unknown: Annotated[list[UnknownBody], Field(max_length=1_000)] = Field(default_factory=list)

    def heartbeat(self, now: datetime) -> Heartbeat:
        """Return the sign of life."""
        return Heartbeat(
            instance=self.instance,
            environment=self.environment,
            application=self.application,
            kind=self.kind,
            version=self.version,
            snapshot_version=self.snapshot_version,
            sdk=self.sdk,
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

    def unknown_flags(self) -> Iterator[Unknown]:
        """Yield what was asked for and is not there."""
        for each in self.unknown:
            yield Unknown(
                environment=self.environment,
                flag=each.flag,
                application=self.application,
                count=each.count,
            )
