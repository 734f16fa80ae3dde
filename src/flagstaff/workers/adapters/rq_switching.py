"""How is a job of RQ put off or dropped where a switch says so?

The worker decides when it has taken a job out of its queue, and before it is begun: so a job that
is put off was never running, and one transaction makes of it one that waits for its time.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from rq.job import JobStatus
from rq.rate_limit import release_slot
from rq.registry import ScheduledJobRegistry
from rq.scheduler import RQScheduler

from flagstaff.workers.adapters.protocol import HEADER
from flagstaff.workers.adapters.rq_names import name_in
from flagstaff.workers.switches import Action, Switches
from flagstaff.workers.verdicts import Deferral, Judge, ran, times_of

log = logging.getLogger("flagstaff")


class Gate:
    """Keeps jobs from running where a switch says so.

    Args:
        switches: of the environment.
        deferral: how jobs are put off.
    """

    def __init__(self, switches: Switches, deferral: Deferral) -> None:
        self._switches, self._judge = switches, Judge(switches, deferral)

    def stops(self, job: Any, queue: Any) -> bool:
        """Put a job off or drop it, and return whether that was done."""
        header = job.meta.get(HEADER)
        header = header if isinstance(header, dict) else {}
        # Asking the job for it would bring its arguments to life, in the worker itself.
        times, name = times_of(header), name_in(job.data)
        if name is None or not (times or self._switches.has(name)):
            return False
        verdict = self._judge(name, job.id, times)
        if verdict is None:
            if times:
                job.meta[HEADER] = ran(header)
                job.save_meta()
            return False
        if verdict.action is Action.DROP:
            job.cancel()
            queue.connection.lrem(queue.intermediate_queue_key, 1, job.id)
        else:
            job.meta[HEADER] = {**header, "deferred": times + 1}
            _put_off(job, name, queue, verdict.seconds)
        release_slot(job)
        log.info("%s[%s] was %s", name, job.id, verdict.action.value)
        return True


def _put_off(job: Any, name: str, queue: Any, seconds: float) -> None:
    when = datetime.now(UTC) + timedelta(seconds=seconds)
    with queue.connection.pipeline() as pipe:
        job.set_status(JobStatus.SCHEDULED, pipeline=pipe)
        job.save(pipeline=pipe)
        scheduled: Any = ScheduledJobRegistry(queue=queue)  # type: ignore[no-untyped-call]
        scheduled.schedule(job, when, pipeline=pipe)
        pipe.lrem(queue.intermediate_queue_key, 1, job.id)
        pipe.execute()
    if not queue.connection.exists(RQScheduler.get_locking_key(queue.name)):
        log.warning(
            "%s[%s] waits for its time, and no scheduler is there for %s: "
            "start a worker with --with-scheduler",
            name,
            job.id,
            queue.name,
        )
