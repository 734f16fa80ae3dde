"""What can a worker say about a name that Celery's own questions do not answer?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celery.worker import state as worker_state
from celery.worker.control import Panel
from celery.worker.request import Request

from flagstaff.workers.messages import is_embedded
from flagstaff.workers.scheduling import beat_entries

COMMAND = "flagstaff_holds"


def offer() -> None:
    """Make this process answer the question, if it is a worker."""
    Panel.register(holds, name=COMMAND, type="inspect", visible=False)


def holds(state: Any, name: str = "", **_: object) -> dict[str, Any]:
    """Say what this worker holds for a name, in its memory and in its settings.

    Returns:
        `limited`: so many jobs of that name are held back by a rate limit; `embedded`: so many jobs
        that it runs have one of the name to follow them; `waiting`: so many that it has not begun;
        `beat` and `scheduler` as `beat_entries` says.
    """
    running = set(worker_state.active_requests)
    limited = set(_limited(state.consumer))
    reserved = worker_state.reserved_requests
    waiting = {*reserved, *_scheduled(state.consumer), *limited} - running
    return {
        "limited": sum(each.type == name for each in limited),
        "embedded": sum(_leads_to(each, name) for each in running),
        "waiting": sum(_leads_to(each, name) for each in waiting),
        **beat_entries(state.app, name),
    }


def _scheduled(consumer: Any) -> Iterator[Request]:
    """Return the jobs that wait in this worker for their time."""
    for each in list(consumer.timer.schedule.queue):
        first = next(iter(each.entry.args or ()), None)
        if isinstance(first, Request):
            yield first


def _limited(consumer: Any) -> Iterator[Request]:
    """Return the jobs that wait for their turn under a rate limit: no answer of Celery has them."""
    for bucket in list(consumer.task_buckets.values()):
        if bucket is not None:
            yield from (request for request, _ in list(bucket.contents))


def _leads_to(request: Any, name: str) -> bool:
    args, kwargs, embed = request._payload  # noqa: SLF001 - callbacks have no public way out
    return is_embedded([args, kwargs, embed], name)
