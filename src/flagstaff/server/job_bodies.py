"""How does what becomes of background jobs look as JSON, reported and told?"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from flagstaff.server.bodies import Body
from flagstaff.services.jobs import JobCount, JobsRow, QueueSeen, Sums, Waiting

LONGEST = 255
YEAR = 31_536_000.0

Name = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Word = Annotated[str, Field(max_length=LONGEST)]
Count = Annotated[int, Field(ge=0, le=10**12, strict=True)]
Seconds = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False, strict=True)]


class SumsBody(Body):
    """How often what happened to jobs; `waited_s` and `ran_s` are sums of seconds."""

    enqueued: Count = 0
    started: Count = 0
    succeeded: Count = 0
    failed: Count = 0
    retried: Count = 0
    ignored: Count = 0
    deferred: Count = 0
    dropped: Count = 0
    waited_s: Seconds = 0.0
    ran_s: Seconds = 0.0


class JobBody(SumsBody):
    """Of one task and queue, in this process since it began to count, `seconds` ago."""

    task: Name
    queue: Name
    flag: Word = ""
    variant: Word = ""
    seconds: Annotated[float, Field(ge=0, le=YEAR, allow_inf_nan=False, strict=True)]

    def count(self) -> JobCount:
        """Return what it says."""
        return JobCount(
            task=self.task,
            queue=self.queue,
            flag=self.flag,
            variant=self.variant,
            seconds=self.seconds,
            sums=Sums(**self.model_dump(include=set(SumsBody.model_fields))),
        )


class WaitingBody(BaseModel):
    """How many jobs of a task wait in a queue, and for how many seconds the oldest has."""

    task: Name
    depth: Count
    oldest_s: Seconds | None = None


class QueueBody(BaseModel):
    """What was seen in a queue; `tasks` is null where messages cannot be looked at."""

    queue: Name
    depth: Count
    tasks: Annotated[list[WaitingBody], Field(max_length=1_000)] | None = None
    exact: Annotated[bool, Field(strict=True)] = True

    def seen(self) -> QueueSeen:
        """Return what it says."""
        tasks = None
        if self.tasks is not None:
            tasks = tuple(
                Waiting(task=each.task, depth=each.depth, oldest_s=each.oldest_s)
                for each in self.tasks
            )
        return QueueSeen(queue=self.queue, depth=self.depth, tasks=tasks, exact=self.exact)


class JobsRowBody(SumsBody):
    """One task in one queue, since this server began; `last_minute` is the newest part of it.

    `variant` says which side of `flag` the task is, where a flag decides between two names. `depth`
    and `oldest_s` are of the task's own waiting jobs, null where nobody can say; `queue_depth`
    counts those of all tasks. `exact` is false where `depth` is the least it can be.
    `running` are those that the `processes` of the last minute have begun and not ended.
    """

    environment: str
    task: str
    queue: str
    flag: str
    variant: str
    last_minute: SumsBody
    depth: int | None
    exact: bool
    oldest_s: float | None
    queue_depth: int | None
    running: int
    processes: int
    heard_s: float

    @classmethod
    def of(cls, row: JobsRow) -> JobsRowBody:
        """Return the body for a row."""
        rest = {each: getattr(row, each) for each in cls.model_fields if hasattr(row, each)}
        sums = SumsBody.model_validate(row.sums).model_dump()
        rest["last_minute"] = SumsBody.model_validate(row.last_minute)
        return cls(**{**sums, **rest})
