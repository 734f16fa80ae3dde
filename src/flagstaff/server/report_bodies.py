"""How does the report of an application look as JSON?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from flagstaff.server.job_bodies import JobBody, QueueBody
from flagstaff.services.actors import Report as ActorsReport
from flagstaff.services.clock import Clock
from flagstaff.services.jobs import JobsReport
from flagstaff.services.telemetry import Answered, Asked, Heartbeat, Outcome, Reporting, Unknown

LONGEST = 255


def _shortened(value: object) -> object:
    return value[:LONGEST] if isinstance(value, str) else value


Name = Annotated[str, Field(max_length=LONGEST)]
Label = Annotated[str, BeforeValidator(_shortened)]
"""A text for people to read: one that is too long is cut, not refused."""

LONGEST_AGO = 31_536_000
"""Seconds; a year."""

Count = Annotated[int, Field(ge=0, le=10**12, strict=True)]


class ExposureBody(BaseModel):
    """How often a flag gave this answer since the last report."""

    flag: Name
    value: Annotated[bool, Field(strict=True)]
    gate: Annotated[str, Field(max_length=40)]
    count: Count


class UnknownBody(BaseModel):
    """How often a flag was asked for that is not defined."""

    flag: Label
    count: Count


class AskedBody(BaseModel):
    """Of the questions about a flag that the client looked at, how many named an actor."""

    flag: Name
    with_actor: Count
    without_actor: Count


class OutcomeBody(BaseModel):
    """How it went with a flag on and off, in this process since it began to count.

    `seconds` is for how long it counted; `on` and `off` include what was bad.
    """

    flag: Name
    kind: Annotated[str, Field(max_length=40)] = "outcomes"
    on: Count
    on_bad: Count
    off: Count
    off_bad: Count
    seconds: Annotated[float, Field(ge=0, le=LONGEST_AGO, strict=True)]


ActorId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Actors = Annotated[list[ActorId], Field(max_length=5_000)]
Kind = Annotated[str, Field(min_length=1, max_length=40)]
Kinds = Annotated[list[Kind], Field(max_length=50)]


class SidesBody(BaseModel):
    """Whose first failure of a kind there was, on each side."""

    on: Actors = Field(default_factory=list)
    off: Actors = Field(default_factory=list)


class ActorsBody(BaseModel):
    """Who was asked about under one draw of a flag, and failed; what was said before is left out.

    `kinds` of outcomes are counted by actor, `bare` ones without saying whose they are.
    """

    flag: Name
    rollout: Annotated[int, Field(ge=1, lt=2**31, strict=True)]
    draw: Annotated[int, Field(ge=0, lt=2**63, strict=True)]
    kinds: Kinds = Field(default_factory=list)
    bare: Kinds = Field(default_factory=list)
    on: Actors = Field(default_factory=list)
    off: Actors = Field(default_factory=list)
    failed: Annotated[dict[Kind, SidesBody], Field(max_length=50)] = Field(default_factory=dict)

    def report(self) -> ActorsReport:
        """Return what it says; whoever failed was asked about."""
        on, off = set(self.on), set(self.off)
        for each in self.failed.values():
            on.update(each.on)
            off.update(each.off)
        return ActorsReport(
            rollout=self.rollout,
            flag=self.flag,
            draw=self.draw,
            seen=dict.fromkeys(off, False) | dict.fromkeys(on, True),
            failed={kind: (*each.on, *each.off) for kind, each in self.failed.items()},
            kinds=self.kinds,
            bare=self.bare,
        )


class ReportBody(BaseModel):
    """What an application's client reports; parts it does not know are left aside.

    `seconds_ago` is how long an edge has had the sign of life already.
    """

    instance: Label
    environment: Name
    application: Label = ""
    kind: Label = ""
    version: Label = ""
    snapshot_version: Annotated[int, Field(ge=0, strict=True)] | None = None
    sdk: Label = ""
    seconds_ago: Annotated[float, Field(ge=0, le=LONGEST_AGO, strict=True)] = 0.0
    exposures: Annotated[list[ExposureBody], Field(max_length=5_000)] = Field(default_factory=list)
    asked: Annotated[list[AskedBody], Field(max_length=5_000)] = Field(default_factory=list)
    unknown: Annotated[list[UnknownBody], Field(max_length=1_000)] = Field(default_factory=list)
    outcomes: Annotated[list[OutcomeBody], Field(max_length=1_000)] = Field(default_factory=list)
    actors: Annotated[list[ActorsBody], Field(max_length=1_000)] = Field(default_factory=list)
    jobs: Annotated[list[JobBody], Field(max_length=1_000)] = Field(default_factory=list)
    queues: Annotated[list[QueueBody], Field(max_length=1_000)] = Field(default_factory=list)

    def hand_to(self, telemetry: Reporting, clock: Clock) -> None:
        """Report what it says."""
        beat = self.heartbeat(clock.after(-self.seconds_ago))
        telemetry.report(
            beat,
            self.answers(),
            self.unknown_flags(),
            self.questions(),
            self.results(clock),
            JobsReport(
                counts=tuple(each.count() for each in self.jobs),
                queues=tuple(each.seen() for each in self.queues),
                ago=self.seconds_ago,
            ),
        )

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

    def results(self, clock: Clock) -> Iterator[Outcome]:
        """Yield how it went with flags on and off."""
        for each in self.outcomes:
            yield Outcome(
                environment=self.environment,
                instance=self.instance,
                flag=each.flag,
                kind=each.kind,
                on=each.on,
                on_bad=min(each.on_bad, each.on),
                off=each.off,
                off_bad=min(each.off_bad, each.off),
                began=clock.wall(clock.after(-self.seconds_ago - each.seconds)),
                heard=clock.wall(clock.after(-self.seconds_ago)),
            )

    def questions(self) -> Iterator[Asked]:
        """Yield what the client saw of the questions."""
        for each in self.asked:
            yield Asked(
                flag=each.flag, with_actor=each.with_actor, without_actor=each.without_actor
            )


class ReportsBody(BaseModel):
    """What the clients of an edge reported lately."""

    reports: Annotated[list[ReportBody], Field(max_length=1_000)]


class TakenBody(BaseModel):
    """How many reports were taken; the others are of environments that are not here."""

    taken: int
    left_out: int
