"""How does an application say that its background jobs are to be watched?

from flagstaff.workers import watching

watching.watch(app)
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import Any
from weakref import WeakKeyDictionary

from flagstaff.errors import MissingExtra

try:
    from celery import signals
    from celery.app.trace import build_tracer
except ModuleNotFoundError as exc:
    raise MissingExtra.named("celery", package="celery") from exc

from flagstaff.sdk.forking import survive
from flagstaff.workers import spans
from flagstaff.workers.counts import Counts, Event
from flagstaff.workers.deferring import Gate
from flagstaff.workers.headers import AT, HEADER, header_of, now, undelayed
from flagstaff.workers.job_log import JobLog
from flagstaff.workers.looking import Looker
from flagstaff.workers.rename import Flags, LateFlags
from flagstaff.workers.running import Cohort, Runner
from flagstaff.workers.switches import Switches
from flagstaff.workers.verdicts import Deferral

__all__ = ["Deferral", "late_flags", "watch", "watched"]

log = logging.getLogger("flagstaff")
OF_ONE_JOB = {"queue", "flag", "variant"}
"""What is written anew each time that a job is published."""

counts = Counts()
_ENQUEUED, _NONE = (Event.ENQUEUED, 1), ("", "")
_watches: WeakKeyDictionary[Any, Watch] = WeakKeyDictionary()


class Watch:
    """Counts what becomes of the jobs of one application, where they are published and run.

    Args:
        app: the Celery application.
        client: of the flags; it reports what is counted, if it speaks to a server.
        deferral: how jobs are put off.
        job_log: where each start and end of a job is written, if anywhere.
    """

    def __init__(self, app: Any, client: Flags, deferral: Deferral, job_log: JobLog | None) -> None:
        self.app, self.client = app, client
        self._cohorts: dict[str, Cohort] = {}
        self._late = client if isinstance(client, LateFlags) else None
        self._connected = False
        self._taking_over = threading.Lock()
        self._plain: Callable[..., Any] = app.send_task
        self._taken: Any = None
        self.switches = Switches()
        self._gate = Gate(self.switches, deferral)
        self.runner = Runner(counts, client, self._cohorts, self._may, job_log)
        self.looker = Looker(app)
        tell: Callable[..., None] | None = getattr(client, "report_also", None)
        if tell is not None:
            tell(_Report(client))
        app.send_task = self._first(sender_of(app))
        survive(self)

    def tell_apart(self, names: dict[str, Cohort]) -> None:
        """Count jobs of these names as one side of a flag each."""
        self._cohorts |= names

    def wrap(self, *, rebuild: bool) -> None:
        """Count what every task that is registered does; `rebuild` if it may have been traced."""
        for task in list(self.app.tasks.values()):
            if self.runner.wrap(task) and rebuild:
                task.__trace__ = build_tracer(task.name, task, self.app.loader, app=self.app)

    def _first(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """Return what publishes the first job.

        The sender below it, which knows the queue, reads the settings of the application when it
        is made; that must not be before they are complete.
        """

        @wraps(plain)
        def send_task(*args: Any, **options: Any) -> Any:
            self._take_over()
            if self.app.send_task is send_task:
                self.app.send_task = plain
            return plain(*args, **options)

        return send_task

    def _take_over(self) -> None:
        with self._taking_over:
            amqp = self.app.conf and self.app.amqp
            # Once: whoever has put something around ours since then calls ours.
            if amqp is not self._taken:
                self._taken = amqp
                # Later than what makes spans, so that there is one to note it on.
                signals.before_task_publish.connect(self._note_span, weak=False)
                self._plain = amqp.send_task_message
                amqp.send_task_message = self._publish

    def connect(self) -> None:
        """Make the client of this process, unless it is there; a job must not fail over it."""
        if self._connected:
            return
        try:
            self.switches.follow(self.client if self._late is None else self._late.connect())
        except Exception:
            log.exception("jobs are not watched: there is no client of the flags")
        self._connected = True

    def after_fork(self) -> None:
        """Make another client in this process, and leave a lock that a thread may hold for ever."""
        self._connected = False
        self._taking_over = threading.Lock()

    def close(self) -> None:
        """Do nothing: the client sends what was counted when it closes."""

    def _may(self, task: Any, request: Any, header: dict[str, Any]) -> str | None:
        if not self._connected:
            self.connect()
        if not header and not self.switches.has(task.name):
            return None
        return self._gate(task, request, header)

    def _publish(self, producer: Any, name: str, message: Any, **options: Any) -> Any:
        self.connect()
        queue = _queue(options, self.app)
        headers = options.get("headers") or {}
        cohort = self._cohorts.get(name)
        # One that comes again has been somewhere else before, perhaps, or the headers are those of
        # the job that publishes this one.
        ours = {each: said for each, said in header_of(headers).items() if each not in OF_ONE_JOB}
        if cohort is not None:
            ours |= {"flag": cohort.flag, "variant": cohort.variant}
        if not _is_routed_by_name(options):
            ours["queue"] = queue
        headers = {**headers, AT: now()}
        headers.pop(HEADER, None)
        options["headers"] = headers | {HEADER: ours} if ours else headers
        sent = self._plain(producer, name, message, **options)
        counts.add(name, queue, _ENQUEUED, cohort=cohort or _NONE)
        return sent

    def _note_span(self, sender: str = "", **_: object) -> None:
        cohort = self._cohorts.get(sender)
        if cohort is not None:
            spans.note(cohort.flag, cohort.variant, kind="PRODUCER")


class _Report:
    """What a client says of all applications that it watches; a second one is the same."""

    def __init__(self, client: Flags) -> None:
        self._client = client

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Report) and other._client is self._client

    def __hash__(self) -> int:
        return id(self._client)

    def __call__(self) -> dict[str, list[dict[str, object]]]:
        """Return what was counted, and what was seen of queues since the last call."""
        mine = [each for each in list(_watches.values()) if each.client is self._client]
        queues = [seen for each in mine for seen in each.looker.seen()]
        return {"jobs": counts.to_json(), "queues": queues}


def watch(
    app: Any,
    *,
    client: Flags | None = None,
    deferral: Deferral | None = None,
    job_log: str | os.PathLike[str] | None = None,
) -> Watch:
    """Count what becomes of an application's jobs, and report it to the server.

    Call it where the application is made, so that workers, web processes and beat all do. Workers
    also look how many jobs wait in the queues that they take jobs from.

    Args:
        app: the Celery application.
        client: of the flags; left out, `Client.connect()` at the first job of each process.
        deferral: how jobs are put off that must not run now.
        job_log: a folder for lines in GitLab's form, two for each try of a job.

    Raises:
        UsageError: there is no client, and the environment describes none.
    """
    app = itself(app)
    found = _watches.get(app)
    if found is None:
        _connect()
        lines = JobLog(job_log) if job_log else None
        found = _watches[app] = Watch(app, client or late_flags(), deferral or Deferral(), lines)
    return found


def watched(app: Any) -> Watch | None:
    """Return what watches an application, if something does."""
    return _watches.get(itself(app))


def itself(app: Any) -> Any:
    """Return an application, where `celery.current_app` stands for it as well."""
    return getattr(app, "_get_current_object", lambda: app)()


@cache
def late_flags() -> LateFlags:
    """Return the client that the environment describes; one for all that have none given."""
    return LateFlags()


def sender_of(app: Any) -> Callable[..., Any]:
    """Return what sends the jobs of an application.

    Where that is what all applications have, it is looked up each time: programs that trace put
    something around it, before us or after.
    """
    plain: Callable[..., Any] = app.send_task
    if "send_task" in vars(app):
        return plain

    @wraps(plain)
    def send_task(*args: Any, **options: Any) -> Any:
        return type(app).send_task(app, *args, **options)

    return send_task


def _queue(options: dict[str, Any], app: Any) -> str:
    queue = options.get("queue")
    if queue is not None:
        return str(getattr(queue, "name", queue))
    return undelayed(str(options.get("routing_key") or app.conf.task_default_queue))


def _is_routed_by_name(options: dict[str, Any]) -> bool:
    """Say whether the routing key will be the name of the queue, as Celery sees to by itself."""
    queue = options.get("queue")
    if queue is None:
        return bool(options.get("routing_key"))
    if options.get("exchange"):
        return False
    if options.get("exchange_type"):
        return bool(options["exchange_type"] == "direct")
    return getattr(getattr(queue, "exchange", None), "type", "") == "direct"


def _worker_begins(sender: Any = None, **_: object) -> None:
    """Wrap the tasks before their tracers are made: everything is imported by now."""
    watch = _watches.get(getattr(sender, "app", None)) if sender is not None else None
    if watch is not None:
        watch.wrap(rebuild=False)


def _child_begins(**_: object) -> None:
    """Wrap what the parent has not: a child that was spawned has none of the parent's objects."""
    for watch in list(_watches.values()):
        watch.wrap(rebuild=True)


def _child_ends(**_: object) -> None:
    """Send what was counted: a pool's process ends without any of the interpreter's hooks."""
    for watch in list(_watches.values()):
        close: Callable[[], None] | None = getattr(watch.client, "close", None)
        if close is not None:
            close()


def _worker_is_ready(sender: Any = None, **_: object) -> None:
    watch = _watches.get(getattr(sender, "app", None)) if sender is not None else None
    if watch is not None:
        watch.connect()
        watch.looker.start()


def _worker_ends(**_: object) -> None:
    for watch in list(_watches.values()):
        watch.looker.close()


@cache
def _connect() -> None:
    signals.worker_init.connect(_worker_begins, weak=False)
    signals.worker_process_init.connect(_child_begins, weak=False)
    signals.worker_process_shutdown.connect(_child_ends, weak=False)
    signals.worker_ready.connect(_worker_is_ready, weak=False)
    signals.worker_shutdown.connect(_worker_ends, weak=False)
