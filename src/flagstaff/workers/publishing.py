"""Under which name, and to which queue, is a job published?

Every way of publishing in Celery ends in `app.send_task`: `delay`, `apply_async`, signatures and
all that is made of them, beat, sending by name, retries. It is replaced here, on one application.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from celery import current_task

from flagstaff.workers.following import Following
from flagstaff.workers.headers import HEADER, header_of
from flagstaff.workers.rename import OTHER, Flags, Rename, Variant
from flagstaff.workers.verdicts import ran
from flagstaff.workers.watching import sender_of

log = logging.getLogger("flagstaff")

Send = Callable[..., Any]


class Publisher:
    """Stands in for `send_task` of one application.

    Args:
        app: the Celery application.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._plain: Send = sender_of(app)
        self._parameters = list(inspect.signature(self._plain).parameters)[3:]
        self._renames: dict[str, tuple[Rename, Flags]] = {}
        self._following = Following(self._renames)
        self._places: dict[str, Any] = {}
        self._missing: set[str] = set()

    def add(self, rename: Rename, flags: Flags) -> None:
        """Decide from now on about both names of a rename."""
        self._renames |= {rename.old: (rename, flags), rename.new: (rename, flags)}

    def find(self, name: str) -> Rename | None:
        """Return the rename that a name is part of."""
        found = self._renames.get(name)
        return found[0] if found else None

    def all(self) -> list[Rename]:
        """Return every rename once."""
        return list(dict.fromkeys(rename for rename, _ in self._renames.values()))

    def __call__(
        self,
        name: str,
        args: Any = None,
        kwargs: Any = None,
        *more: Any,
        **options: Any,
    ) -> Any:
        """Publish a job, under the name that the flag says now if it is one of two."""
        options |= dict(zip(self._parameters, more, strict=False))
        args, kwargs = self._following.named(args, kwargs, options)
        found = self._renames.get(name)
        if found is None:
            return self._plain(name, args, kwargs, **options)
        rename, flags = found
        header = header_of(options.get("headers") or {})
        if _comes_again(options):  # it keeps the name that it came with
            running = _running(options)
            variant = rename.variant(running if running in {rename.old, rename.new} else name)
        else:
            header = ran(header) if header else header
            options["task_id"] = options.get("task_id") or str(uuid4())
            variant = rename.wanted(flags, options["task_id"], args or (), kwargs or {})
            variant = self._possible(rename, variant)
            self._address(options, rename, variant, name)
        options["headers"] = {
            **(options.get("headers") or {}),
            HEADER: {**header, "flag": rename.flag, "variant": variant.value},
        }
        return self._plain(rename.name(variant), args, kwargs, **options)

    def _address(
        self, options: dict[str, Any], rename: Rename, variant: Variant, asked: str
    ) -> None:
        chosen = rename.name(variant)
        if chosen != asked and options.get("task_type") is not None:
            options["task_type"] = self._app.tasks.get(chosen, options["task_type"])
        queue = self._declared(rename.queue(variant))
        if queue is not None and _is_free(options, {rename.old_queue, rename.new_queue}):
            # All of them are said, or those of a route would lead away from the queue.
            exchange, key, kind = "", queue.name, queue.exchange.type or "direct"
            if kind != "direct":
                exchange = queue.exchange.name
                key = queue.routing_key or self._app.conf.task_default_routing_key
            options |= {
                "queue": queue,
                "exchange": exchange,
                "routing_key": key,
                "exchange_type": kind,
            }

    def _possible(self, rename: Rename, variant: Variant) -> Variant:
        """Return the side that a job can be published on: Celery refuses a queue it does not know.

        That is so where `task_create_missing_queues` is off.
        """
        queue, other = rename.queue(variant), rename.queue(OTHER[variant])
        if not queue or self._declared(queue) is not None:
            return variant
        if queue not in self._missing:
            self._missing.add(queue)
            log.error(
                "%s is not among the task_queues of this process, and it creates none: no job of "
                "%s can be published there",
                queue,
                rename.name(variant),
            )
        can = not other or self._declared(other) is not None
        return OTHER[variant] if can else variant

    def _declared(self, queue: str) -> Any:
        """Return a queue that the application knows, or makes now; None where it may not."""
        found = self._places.get(queue)
        if found is None and queue:
            try:
                found = self._places[queue] = self._app.amqp.queues[queue]
            except KeyError:
                return None
        return found


def _comes_again(options: Mapping[str, Any]) -> bool:
    """Say whether a job is tried again, or is put off by the worker that has it.

    A job that publishes another one may pass on all its headers.
    """
    if options.get("retries"):
        return True
    header = header_of(options.get("headers") or {})
    return "deferred" in header and bool(_running(options))


def _running(options: Mapping[str, Any]) -> str:
    """Return the name of the job that publishes itself again.

    A body that does so by its own global name asks under that one, whichever it came under.
    """
    task = current_task._get_current_object() if current_task else None  # noqa: SLF001
    if task is None or task.request.id != options.get("task_id"):
        return ""
    return str(task.name)


def _is_free(options: Mapping[str, Any], ours: set[str]) -> bool:
    """Say whether the caller has named no place of its own, but at most one of the rename's."""
    named = options.get("queue")
    if named is not None:
        return getattr(named, "name", named) in ours
    if options.get("routing_key") is not None:
        return options["routing_key"] in ours
    return not options.get("exchange")
