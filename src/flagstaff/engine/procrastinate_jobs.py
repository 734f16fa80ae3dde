"""How do wake-ups become jobs of Procrastinate: few, and none of them for ever?

Its tables stand in a schema of their own and hold nothing that is needed: dropped, they are made
again, and rollouts go on from their own rows.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import psycopg
from procrastinate import __version__ as installed
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.schema import SchemaManager
from psycopg import sql

QUEUE: Final = "flagstaff"
TASK: Final = "flagstaff.look"

MAKING: Final = 7_233_547
"""The advisory lock that one starting server holds while it makes the tables."""

SOON_ENOUGH: Final = timedelta(seconds=1)
"""How much later than wanted a job may be before it gives way to a sooner one."""

WAITING: Final = """
SELECT id, queueing_lock, scheduled_at FROM procrastinate_jobs
WHERE status = 'todo' AND queueing_lock = ANY(%(locks)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUp:
    """A look that is wanted: at one rollout or at any, at a real time or at once."""

    number: int | None = None
    at: datetime | None = None

    @property
    def queueing_lock(self) -> str:
        """Return what only one waiting job has.

        A job for later has another one than a job for now, or the earlier news would be lost.
        """
        name = "any" if self.number is None else f"rollout {self.number}"
        return name if self.at is None else f"{name} later"

    def job(self) -> Job:
        """Return the job; it has no `lock`, for which a waiting one would hold up the next."""
        return Job(
            queue=QUEUE,
            lock=None,
            queueing_lock=self.queueing_lock,
            task_name=TASK,
            task_kwargs={"number": self.number},
            scheduled_at=self.at,
        )


async def prepare(place: str, schema: str) -> None:
    """Make Procrastinate's tables, unless there are some of this version or a newer one.

    Raises:
        psycopg.Error: the database does not answer, or does not allow it.
    """
    name = sql.Identifier(schema)
    async with await psycopg.AsyncConnection.connect(place) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [MAKING])
        found = await connection.execute(
            "SELECT to_regclass('procrastinate_jobs') IS NOT NULL, "
            "obj_description(to_regnamespace(%s)::oid, 'pg_namespace')",
            [schema],
        )
        there, made_by = await found.fetchone() or (False, None)
        if there and _version(made_by or "") >= _version(installed):
            return
        await connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        await connection.execute(SchemaManager.get_schema())
        await connection.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(
                name, sql.Literal(f"wakes Flagstaff's engine; made by procrastinate {installed}")
            )
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


class JobQueue:
    """The jobs of all servers on one database."""

    def __init__(self, jobs: JobManager) -> None:
        self._jobs = jobs

    async def put(self, wanted: Iterable[WakeUp]) -> None:
        """Have jobs wait that are in time for all that is wanted."""
        missing = {each.queueing_lock: each for each in wanted}
        rows = await self._jobs.connector.execute_query_all_async(WAITING, locks=list(missing))
        for row in rows:
            at, due_at = missing[row["queueing_lock"]].at, row["scheduled_at"]
            if at is None or due_at is None or due_at <= at + SOON_ENOUGH:
                del missing[row["queueing_lock"]]
            else:
                await self._jobs.cancel_job_by_id_async(row["id"], delete_job=True)
        if not missing:
            return
        jobs = [each.job() for each in missing.values()]
        try:
            await self._jobs.batch_defer_jobs_async(jobs)
        except AlreadyEnqueued:  # another server was quicker with one of them
            for each in jobs:
                with contextlib.suppress(AlreadyEnqueued):
                    await self._jobs.defer_job_async(each)

    async def tidy(self, stalled: float) -> None:
        """Have the jobs of workers done again that gave no sign of life for so many seconds.

        Each by itself: one that cannot wait a second time, as one like it waits already, would
        keep all others from it.
        """
        for job in await self._jobs.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=stalled):
            try:
                await self._jobs.retry_job(job)
            except UniqueViolation:
                with contextlib.suppress(ConnectorException):
                    await self._jobs.finish_job(job, Status.FAILED, delete_job=True)
            except ConnectorException:
                continue  # another server was quicker
        await self._jobs.prune_stalled_workers(stalled)
