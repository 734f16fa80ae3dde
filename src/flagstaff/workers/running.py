"""How is it known what becomes of a job in the process that runs it?

The body of each task is wrapped, inside of all that Celery does around it. That is the one place
where a job can also be kept from running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from time import monotonic, time
from typing import Any, NamedTuple, NoReturn, Protocol

from celery.exceptions import Ignore, Reject, Retry

from flagstaff.sdk.outcomes import JOBS, RETRIED, SLOW_JOBS, WAITS
from flagstaff.workers import spans
from flagstaff.workers.counts import Counts, Event
from flagstaff.workers.headers import header_of, published_at, undelayed
from flagstaff.workers.job_log import JobLog
from flagstaff.workers.spans import TRACED

SEEN = "_flagstaff_seen"

# Looking a member up in its enumeration costs more than counting it.
SUCCEEDED, FAILED = Event.SUCCEEDED, Event.FAILED
_NONE = ("", "")


class Cohort(NamedTuple):
    """Which side of which flag jobs of a name are on."""

    flag: str
    variant: str


class Outcomes(Protocol):
    """The part of `flagstaff.Client` that tells guards how it went."""

    def in_rollout(self, name: str) -> bool:
        """Say whether a guard may want to know."""

    def count_outcome(self, name: str, kind: str, *, on: bool, ok: bool) -> None:
        """Count one outcome."""

    def count_duration(
        self, name: str, what: str, *, on: bool, seconds: float, bounds: Iterable[float]
    ) -> None:
        """Count how long something took."""


class Runner:
    """Wraps bodies of tasks.

    Args:
        counts: where it is counted what becomes of jobs.
        client: of the flags.
        cohorts: the names that are one side of a flag; others may be added later.
        may: called before a job runs; what it returns was done instead, `None` lets it run.
        job_log: where each start and end is written, if anywhere.
    """

    def __init__(
        self,
        counts: Counts,
        client: Any,
        cohorts: Mapping[str, Cohort],
        may: Callable[[Any, Any, dict[str, Any]], str | None],
        job_log: JobLog | None = None,
    ) -> None:
        self._counts, self._cohorts = counts, cohorts
        self._outcomes: Outcomes | None = client if hasattr(client, "in_rollout") else None
        self._may, self._log = may, job_log

    def wrap(self, task: Any) -> bool:
        """Count what a task does from now on; return False if it is done already."""
        if getattr(task.run, "flagstaff", False):
            return False
        task.run = self._around(task, task.run)
        return True

    def _around(self, task: Any, body: Callable[..., Any]) -> Callable[..., Any]:
        stack = task.request_stack

        def run(*args: Any, **kwargs: Any) -> Any:
            request = stack.top
            if request is None or request.called_directly or request.is_eager:
                return body(*args, **kwargs)
            about = vars(request)
            if SEEN in about:  # a body that calls itself
                return body(*args, **kwargs)
            about[SEEN] = True
            return self._run(task, request, body, args, kwargs)

        run.flagstaff = True  # type: ignore[attr-defined]
        run.__wrapped__ = body  # type: ignore[attr-defined]
        return run

    def _run(
        self, task: Any, request: Any, body: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        name, about = task.name, vars(request)
        header, at, cohort = header_of(about), published_at(about), self._cohorts.get(name)
        queue = header.get("queue") or _routed_to(request)
        if (done := self._may(task, request, header)) is not None:
            self._skip(request, done, (name, queue, header), cohort)
        late = None if at is None else _waited(request, at)
        row = self._counts.began(name, queue, late or 0.0, cohort or _NONE)
        told = None
        if cohort is not None:
            told = self._told(cohort, request, late)
            if TRACED:
                spans.note(cohort.flag, cohort.variant)
        if self._log is not None:
            body = self._logged(self._log, body, request, (name, queue, header, late or 0.0))
        end, began = SUCCEEDED, monotonic()
        try:
            return body(*args, **kwargs)
        except BaseException as exc:
            end = _end_of(exc)
            raise
        finally:
            seconds = monotonic() - began
            self._counts.ended(row, end, seconds)
            if told is not None and cohort is not None:
                _tell_end(told, cohort, end, seconds)

    def _told(self, cohort: Cohort, request: Any, late: float | None) -> Outcomes | None:
        """Tell guards how long the first try waited; return what is told how the try ends, if any.

        A name stays declared long after its rollout, and then nobody compares any more.
        """
        outcomes = self._outcomes
        if outcomes is None or not outcomes.in_rollout(cohort.flag):
            return None
        if late is not None and not request.retries:  # its publisher said since when
            on = cohort.variant == "new"
            outcomes.count_duration(cohort.flag, WAITS, on=on, seconds=late, bounds=SLOW_JOBS)
        return outcomes

    def _skip(
        self, request: Any, done: str, about: tuple[str, str, dict[str, Any]], cohort: Cohort | None
    ) -> NoReturn:
        name, queue, header = about
        self._counts.add(name, queue, (Event(done), 1), cohort=cohort or ("", ""))
        if self._log is not None:
            common = self._log.fields(name, queue, request, header)
            self._log.skipped(request, common, done, times=header.get("deferred", 0) + 1)
        raise Ignore(f"{done} by a switch")

    def _logged(
        self, job_log: JobLog, body: Callable[..., Any], request: Any, about: tuple[Any, ...]
    ) -> Callable[..., Any]:
        """Return the body with a line before and one after it."""
        name, queue, header, late = about
        common = job_log.fields(name, queue, request, header)

        def logged(*args: Any, **kwargs: Any) -> Any:
            job_log.started(request, common, waited=late)
            began, status = monotonic(), "fail"
            error: BaseException | None = None
            try:
                result = body(*args, **kwargs)
                status = "done"
            except (Ignore, Reject):
                status = "ignored"
                raise
            except BaseException as exc:
                error, status = exc, "retry" if isinstance(exc, Retry) else "fail"
                raise
            finally:
                ran = monotonic() - began
                job_log.ended(request, common, status, ran=ran, error=error)
            return result

        return logged


def _end_of(error: BaseException) -> Event:
    if isinstance(error, Retry):
        return Event.RETRIED
    return Event.IGNORED if isinstance(error, Ignore | Reject) else FAILED


def _tell_end(outcomes: Outcomes, cohort: Cohort, end: Event, seconds: float) -> None:
    """Tell guards what became of a try; only the last one says how the job went."""
    if end is Event.IGNORED:
        return
    flag, on = cohort.flag, cohort.variant == "new"
    again = end is Event.RETRIED
    outcomes.count_outcome(flag, RETRIED, on=on, ok=not again)
    if not again:
        outcomes.count_outcome(flag, JOBS, on=on, ok=end is SUCCEEDED)
        outcomes.count_duration(flag, JOBS, on=on, seconds=seconds, bounds=SLOW_JOBS)


def _routed_to(request: Any) -> str:
    """Return the queue that a job came from, where its routing key is the name of it."""
    info = request.delivery_info
    return undelayed(str((info and info.get("routing_key")) or "unknown"))


def _waited(request: Any, since: float) -> float:
    """Return for how many seconds a job waited since it was published, or due; 0 if unknown."""
    due = request.eta
    if isinstance(due, str):
        try:
            since = max(since, datetime.fromisoformat(due).timestamp())
        except ValueError:
            return 0.0
    return max(0.0, time() - since)
