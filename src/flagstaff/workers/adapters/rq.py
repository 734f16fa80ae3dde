"""How do functions of RQ follow a rename?

A name is where a function is imported from. RQ has no application: what is declared holds for every
queue of this process.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache, wraps
from types import ModuleType
from typing import Any

from flagstaff.errors import MissingExtra, UsageError
from flagstaff.workers.adapters.announcing import Board
from flagstaff.workers.adapters.protocol import HEADER, Renames, header, silent, surely
from flagstaff.workers.adapters.rq_names import name_in
from flagstaff.workers.knowing import Knowledge
from flagstaff.workers.migrated import Outcome, Tell, until_settled
from flagstaff.workers.migration import Migration
from flagstaff.workers.places import Place
from flagstaff.workers.rename import Flags, Rename
from flagstaff.workers.switches import Switches
from flagstaff.workers.verdicts import Deferral

try:
    from rq import Queue
    from rq.job import JobStatus
    from rq.utils import import_attribute
    from rq.worker import BaseWorker
except ModuleNotFoundError as exc:
    raise MissingExtra.named("rq", package="rq") from exc

from flagstaff.workers.adapters.rq_migrating import CALLBACKS, JOBS, PLACES, RqMigrating
from flagstaff.workers.adapters.rq_switching import Gate

CRON = "rq:cron_scheduler:"
"""With this begins where each process of RQ's cron writes down what it enqueues."""

_renames = Renames()
_gates: list[Gate] = []
"""At most one: it holds for all workers of this process."""


class RqAdapter:
    """The jobs on one Redis.

    Args:
        connection: a client of Redis as RQ wants it, which does not decode what it reads.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def declare(self, rename: Rename, flags: Flags) -> None:
        """Give a function both names in this process, worker or producer.

        Workers have to declare it before they begin, not in a module that a job imports.

        Raises:
            UsageError: it can be imported from neither of the two.
        """
        _alias(rename)
        _renames.add(rename, flags)
        _install()

    def known(self, name: str, queue: str = "", expected: int = 0) -> Knowledge:
        """Return which of the workers that RQ knows of have said that they know a name."""
        board = Board(self._connection, "rq")
        return board.known(name, queue, alive=self._alive(), expected=expected)

    def scan(self, name: str) -> list[Place]:
        """Look at every job that Redis holds; no argument of a job is brought to life for it."""
        own: Counter[str] = Counter()
        embedded: Counter[str] = Counter()
        unread: Counter[str] = Counter()
        for key in self._connection.scan_iter(f"{JOBS}*", _type="HASH"):
            status, data, *after = self._connection.hmget(key, "status", "data", *CALLBACKS)
            place = PLACES.get((status or b"").decode())
            if place is None:
                continue
            found = name_in(data)
            own[place] += found == name
            unread[place] += found is None
            embedded[place] += found != name and name.encode() in after
        places = [
            Place(
                place=place,
                count=own[place],
                embedded=embedded[place],
                doubt=f"{unread[place]} jobs cannot be read" if unread[place] else "",
            )
            for place in PLACES.values()
        ]
        return [*places, self._cron(name)]

    def migrate(
        self,
        migration: Migration,
        *,
        workers: int = 0,
        force: bool = False,
        dry: bool = False,
        tell: Tell = silent,
    ) -> Outcome:
        """Rename and move what waits in Redis, for a worker, its time or other jobs, and failed.

        What runs is left: RQ writes it back under the name that the worker has.

        Raises:
            Conflict: workers do not know the new name.
        """
        if not (force or dry):
            surely(self.known(migration.new, migration.new_queue, workers))
        look = RqMigrating(self._connection, migration, tell=tell, dry=dry).look
        return until_settled(migration, look, 1) if dry else until_settled(migration, look)

    def switch(self, client: Any, deferral: Deferral | None = None) -> None:
        """Put off and drop jobs in workers of this process, as switches of the client say.

        Jobs that are put off wait for their time: a worker with RQ's scheduler has to be there.
        """
        switches = Switches()
        switches.follow(client)
        _gates[:] = [Gate(switches, deferral or Deferral())]
        _install()

    def _cron(self, name: str) -> Place:
        """Return how many entries of RQ's cron name the job; its processes write theirs down."""
        found = unread = 0
        for key in self._connection.scan_iter(f"{CRON}*", _type="HASH"):
            try:
                entries = json.loads(self._connection.hget(key, "cron_jobs") or b"[]")
                found += sum(each["func_name"] == name for each in entries)
            except (ValueError, KeyError, TypeError):
                unread += 1
        doubt = f"{unread} processes of RQ's cron cannot be read" if unread else ""
        return Place(place="cron entries", count=found, doubt=doubt)

    def _alive(self) -> dict[str, str]:
        """Return when each worker began, by its name; RQ itself forgets those that were killed."""
        found = {}
        for key in self._connection.smembers("rq:workers"):
            birth, death = self._connection.hmget(key, "birth", "death")
            if birth and not death:
                found[key.decode().removeprefix("rq:worker:")] = birth.decode()
        return found


def _alias(rename: Rename) -> None:
    old, new = _imported(rename.old), _imported(rename.new)
    if old is None and new is None:
        raise UsageError(
            f"a function can be imported neither from {rename.old} nor from {rename.new}",
            hint="name the module and the function, such as shop.jobs.notify",
        )
    if old is None:
        _put(rename.old, new)
    elif new is None:
        _put(rename.new, old)


def _imported(name: str) -> Any:
    try:
        return import_attribute(name)
    except (ValueError, AttributeError, ImportError):
        return None


def _put(name: str, body: Any) -> None:
    """Make a function importable from a place where it is not, or is no more."""
    place, _, attribute = name.rpartition(".")
    try:
        module = importlib.import_module(place)
    except ImportError:
        module = sys.modules[place] = ModuleType(place, f"stands in for {place}, which is gone")
    setattr(module, attribute, body)


@cache
def _install() -> None:
    """Stand in for what every way of publishing passes, and for what workers say at their birth."""
    _around(Queue, "create_job", _decided)
    _around(Queue, "enqueue_job", _brought)
    _around(Queue, "_enqueue_job", _routed)
    _around(Queue, "schedule_job", _routed)
    _around(BaseWorker, "dequeue_job_and_maintain_ttl", _judged)
    _around(BaseWorker, "register_birth", _said)
    _around(BaseWorker, "register_death", _left)


def _around(owner: Any, method: str, wrapper: Callable[..., Any]) -> None:
    plain = getattr(owner, method)

    @wraps(plain)
    def standing_in(self: Any, *args: Any, **options: Any) -> Any:
        return wrapper(plain, self, *args, **options)

    setattr(owner, method, standing_in)


def _decided(plain: Any, queue: Any, *args: Any, **options: Any) -> Any:
    """Make a job under the name that the flag says now; a retry makes none, and keeps its own."""
    job = plain(queue, *args, **options)
    # What was said of another job came with its `meta`, which many publish their next one with.
    job.meta = {key: value for key, value in job.meta.items() if key != HEADER}
    _decide(job)
    job.flagstaff_made = True
    return job


def _brought(plain: Any, queue: Any, job: Any, *args: Any, **options: Any) -> Any:
    """Decide about a job that its publisher made without a queue, and that was never published."""
    known = HEADER in job.meta or getattr(job, "flagstaff_made", False)
    if not known and not queue.connection.exists(job.key):
        _decide(job)
    return plain(queue, job, *args, **options)


def _decide(job: Any) -> None:
    if job.instance is not None:
        return
    wanted = _renames.wanted(job.func_name, job.id, job.args, job.kwargs)
    if wanted is not None:
        rename, variant = wanted
        job.func_name = rename.name(variant)
        # A dictionary of its own: the publisher may use his for every job.
        job.meta = {**job.meta, HEADER: header(rename, variant)}


def _routed(plain: Any, queue: Any, job: Any, *args: Any, **options: Any) -> Any:
    """Put a job into the queue of its name, if it is on its way to the other one."""
    told, found = job.meta.get(HEADER), _renames.find(job.func_name or "")
    if isinstance(told, dict) and found is not None and not _waits(job):
        rename, _ = found
        # By its name, not by what travels with it: it may have been migrated.
        wanted = rename.queue(rename.variant(job.func_name))
        if wanted and queue.name != wanted and queue.name in {rename.old_queue, rename.new_queue}:
            queue = type(queue)(
                wanted,
                connection=queue.connection,
                is_async=queue.is_async,
                job_class=queue.job_class,
                serializer=queue.serializer,
            )
            job.origin = wanted
            queue.connection.sadd(queue.redis_queues_keys, queue.key)
    return plain(queue, job, *args, **options)


def _waits(job: Any) -> bool:
    # What waits for other jobs is registered with its queue, and must not leave it.
    return bool(job.get_status(refresh=False) == JobStatus.DEFERRED)


def _judged(plain: Any, worker: Any, *args: Any, **options: Any) -> Any:
    """Take jobs until one may run."""
    while True:
        taken = plain(worker, *args, **options)
        if taken is None or not any(gate.stops(*taken) for gate in _gates):
            return taken


def _said(plain: Any, worker: Any) -> None:
    plain(worker)
    born = (worker.connection.hget(worker.key, "birth") or b"").decode()
    board = Board(worker.connection, "rq")
    board.say(worker.name, _renames.names(), worker.queue_names(), born=born)


def _left(plain: Any, worker: Any) -> None:
    Board(worker.connection, "rq").leave(worker.name)
    plain(worker)
