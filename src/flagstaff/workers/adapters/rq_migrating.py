"""How do jobs of RQ change their name and their queue in Redis, with none lost or doubled?

RQ keeps each job in a hash, and its id in a list or a sorted set by where it waits. Scripts, which
Redis runs as a whole or not at all, change both together, if the job still is what was read. One
that a worker has taken is passed by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

from rq import Queue
from rq.job import Job
from rq.registry import DeferredJobRegistry, FailedJobRegistry, ScheduledJobRegistry

from flagstaff.workers.adapters.rq_names import name_in, renamed
from flagstaff.workers.adapters.rq_scripts import IN_HASH, IN_LIST
from flagstaff.workers.migrated import Moved, Tell
from flagstaff.workers.migration import Migration

PLACES = {
    "queued": "queues",
    "scheduled": "waiting for their time",
    "deferred": "waiting for other jobs",
    "ready_to_enqueue": "about to be put into a queue",
    "rate_limited": "waiting for others of their rate limit",
    "started": "running",
    "failed": "failed",
    "created": "created, and nowhere yet",
}
"""Where a job is, by its status; one that is finished, stopped or canceled is over."""

REGISTRIES = {
    "scheduled": ScheduledJobRegistry.key_template,
    "deferred": DeferredJobRegistry.key_template,
    "failed": FailedJobRegistry.key_template,
    "rate_limited": "",
    "created": "",
}
"""Where the ids of jobs of a status are, by queue; all others are in the hands of a worker."""

CALLBACKS = ("success_callback_name", "failure_callback_name", "stopped_callback_name")
FIELDS = ("data", *CALLBACKS)
"""Of a job's hash: those that a name is in."""

JOBS, QUEUES = Job.redis_job_namespace_prefix, Queue.redis_queue_namespace_prefix

BATCH = 500
"""Jobs that one script looks at: it keeps others waiting for some milliseconds."""


class _Job:
    """What is known of one job, and what becomes of it."""

    def __init__(self, one: str, status: str, origin: str, was: list[bytes]) -> None:
        self.id, self.status, self.origin, self.was = one, status, origin, was
        self.made = list(was)
        self.own = self.left = False

    @property
    def changes(self) -> bool:
        return self.made != self.was


class RqMigrating:
    """Migrates what waits in one Redis.

    Args:
        connection: a client of Redis that does not decode what it reads.
        migration: what is wanted.
        tell: hears how far it is.
        dry: whether everything is only counted.
    """

    def __init__(self, connection: Any, migration: Migration, *, tell: Tell, dry: bool) -> None:
        self._client, self._migration = connection, migration
        self._tell, self._dry = tell, dry
        self._in_list = connection.register_script(IN_LIST)
        self._in_hash = connection.register_script(IN_HASH)
        self._mark = f"flagstaff {uuid4()}"

    def look(self) -> list[Moved]:
        """Go through every queue, and then through every other job; the way that jobs go."""
        found = {status: Moved(place=place) for status, place in PLACES.items()}
        names = {
            each.decode().removeprefix(QUEUES)
            for each in self._client.smembers(Queue.redis_queues_keys)
        }
        for queue in sorted({*names, self._migration.old_queue} - {""}):
            self._queue(queue, found["queued"])
        self._others(found)
        return list(found.values())

    def _queue(self, queue: str, moved: Moved) -> None:
        key = QUEUES + queue
        length: int = self._client.llen(key)
        passed = read = 0
        while read < length and (ids := self._client.lrange(key, passed, passed + BATCH - 1)):
            jobs = list(self._read(each.decode() for each in ids))
            to = self._migration.target(queue)
            # What workers took in the meantime has moved the others to the left.
            window = (max(0, passed - BATCH), 2 * BATCH)
            moved.embedded += self._put(queue, queue, window, [e for e in jobs if not e.own])
            gone = self._put(queue, to, window, [each for each in jobs if each.own])
            moved.jobs += gone
            read += len(ids)
            passed += len(ids) - (gone if to != queue and not self._dry else 0)
            self._tell(moved.place, min(read, length), length)

    def _put(self, queue: str, to: str, window: tuple[int, int], jobs: list[_Job]) -> int:
        """Let jobs of a list become what they are to be; return how many still were there."""
        wanted = [
            each for each in jobs if not each.left and (each.changes or (each.own and to != queue))
        ]
        if self._dry or not wanted:
            return len(wanted)
        words = [word for each in wanted for word in (each.id, *each.was, *each.made)]
        head = (self._mark, *window, JOBS, to)
        keys = [QUEUES + queue, QUEUES + to, Queue.redis_queues_keys]
        done: int = self._in_list(keys=keys, args=[*head, *words])
        return done

    def _others(self, found: dict[str, Moved]) -> None:
        """Change what waits in no list, and count what cannot be changed."""
        batch: list[_Job] = []
        for job in self._all():
            moved = found[job.status]
            moved.left += job.left
            moved.doubt = moved.doubt or ("a job cannot be read or rewritten" if job.left else "")
            if job.left or (not job.changes and self._target(job) == job.origin):
                continue
            if job.status not in REGISTRIES:
                # In a queue, it has come since; else a worker has it, and writes it as it was.
                moved.left += not (self._dry and job.status == "queued")
                continue
            batch.append(job)
            if len(batch) == BATCH:
                self._change(batch, found)
                batch = []
        self._change(batch, found)

    def _change(self, batch: list[_Job], found: dict[str, Moved]) -> None:
        for status, template in REGISTRIES.items():
            jobs = [each for each in batch if each.status == status]
            for own in (True, False):
                some = [each for each in jobs if each.own == own]
                done = self._rewrite(status, template, some)
                found[status].jobs += done if own else 0
                found[status].embedded += 0 if own else done
                found[status].left += len(some) - done
            if jobs:
                self._tell(PLACES[status], len(jobs), len(jobs))

    def _rewrite(self, status: str, template: str, jobs: list[_Job]) -> int:
        if self._dry or not jobs:
            return len(jobs)
        words: list[Any] = [JOBS, QUEUES, status]
        for each in jobs:
            to = self._target(each)
            here, there = (
                template.format(queue) if template else "" for queue in (each.origin, to)
            )
            words += (each.id, here, there, each.origin, to, *each.was, *each.made)
        done: int = self._in_hash(keys=[Queue.redis_queues_keys], args=[*words])
        return done

    def _target(self, job: _Job) -> str:
        return self._migration.target(job.origin) if job.own else job.origin

    def _all(self) -> Iterator[_Job]:
        keys: list[str] = []
        for key in self._client.scan_iter(f"{JOBS}*", count=BATCH, _type="HASH"):
            keys.append(key.decode().removeprefix(JOBS))
            if len(keys) == BATCH:
                yield from self._read(keys)
                keys = []
        yield from self._read(keys)

    def _read(self, ids: Iterable[str]) -> Iterator[_Job]:
        """Read jobs, without those that are gone or over."""
        every = list(ids)
        pipe = self._client.pipeline(transaction=False)
        for each in every:
            pipe.hmget(JOBS + each, "status", "origin", *FIELDS)
        for one, (status, origin, *was) in zip(every, pipe.execute(), strict=True):
            known = (status or b"").decode()
            if known in PLACES:
                there = [each or b"" for each in was]
                yield self._judged(_Job(one, known, (origin or b"").decode(), there))

    def _judged(self, job: _Job) -> _Job:
        old, new = self._migration.old, self._migration.new
        name = name_in(job.was[0])
        job.own, job.left = name == old, name is None
        if old == new:
            return job
        for at, text in enumerate(job.was[1:], start=1):
            if text == old.encode():
                job.made[at] = new.encode()
        if job.own:
            made = renamed(job.was[0], new)
            job.made[0], job.left = made or job.was[0], made is None
        return job
