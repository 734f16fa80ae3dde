"""How does what a process says of its jobs get through an edge?

Sums count from the beginning of the process, and of a queue only the latest look matters: so the
newer holds, and each is told with its own age.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from flagstaff.services.jobs import JobCount, JobsReport, QueueSeen

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One count or one look, and when it was heard."""

    what: JobCount | QueueSeen
    heard_at: float


def kept(report: JobsReport, heard_at: float) -> dict[Key, Job]:
    """Return what a report says, under keys that the next one has as well."""
    at = heard_at - report.ago
    counts = {(each.task, each.queue): Job(what=each, heard_at=at) for each in report.counts}
    queues = {("", each.queue): Job(what=each, heard_at=at) for each in report.queues}
    return {**counts, **queues}


def written(jobs: Iterable[Job], told_at: float) -> dict[str, list[dict[str, object]]]:
    """Return the wire form, told as of `told_at`."""
    found = list(jobs)
    return {
        "jobs": [_count(each.what, told_at - each.heard_at) for each in found if _counts(each)],
        "queues": [asdict(each.what) for each in found if not _counts(each)],
    }


def _counts(job: Job) -> bool:
    return isinstance(job.what, JobCount)


def _count(count: JobCount | QueueSeen, older: float) -> dict[str, object]:
    said = asdict(count)
    return {**said.pop("sums"), **said, "seconds": said["seconds"] + max(0.0, older)}
