"""How does an application say that a background job has two names for now?

from flagstaff.workers import renames

renames.declare(app, flag="rename_workers", old="app.notify", new="integrations.notify")
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from flagstaff.errors import MissingExtra, UsageError

try:
    from celery import signals
except ModuleNotFoundError as exc:
    raise MissingExtra.named("celery", package="celery") from exc

from flagstaff.workers import remote
from flagstaff.workers.aliases import complete
from flagstaff.workers.counts import Count
from flagstaff.workers.ending import Ending
from flagstaff.workers.knowing import routed
from flagstaff.workers.publishing import Publisher
from flagstaff.workers.rename import BY_TIME, Actor, Flags, Rename, Variant
from flagstaff.workers.running import Cohort
from flagstaff.workers.watching import counts, itself, late_flags, watch

__all__ = ["BY_TIME", "declare", "declared", "totals"]

log = logging.getLogger("flagstaff")
_publishers: WeakKeyDictionary[Any, Publisher] = WeakKeyDictionary()


def declare(  # noqa: PLR0913 - a rename is two names and two queues
    app: Any,
    *,
    flag: str,
    old: str,
    new: str,
    old_queue: str = "",
    new_queue: str = "",
    actor: Actor = None,
    client: Flags | None = None,
) -> Rename:
    """Give one job two names, and let a flag decide at each enqueue which of them is published.

    The body is registered by the application under either name; the other is added. Whichever
    name is called, the flag decides. A job that is tried again keeps its name.

    Args:
        app: the Celery application.
        flag: publishes the new name where it is on.
        old: the name that is to disappear.
        new: the name that is to stay.
        old_queue: where jobs of the old name wait; left out, the application's routes decide.
        new_queue: the same for the new name.
        actor: called with the job's arguments, returns who the flag is asked about; left out, it
            is asked about the id of the job, `Job:<id>`; `BY_TIME` asks about nobody.
        client: of the flags; left out, `Client.connect()` at the first enqueue of each process.

    Raises:
        UsageError: the names do not differ, one of them is part of another rename, or there is
            no client and the environment describes none.
    """
    rename = Rename(
        flag=flag, old=old, new=new, old_queue=old_queue, new_queue=new_queue, actor=actor
    )
    app = itself(app)
    publisher = _publisher(app)
    for name in (old, new):
        other = publisher.find(name)
        if other is not None and (other.flag, other.old, other.new) != (flag, old, new):
            raise UsageError(
                f"{name} is renamed twice: {other.old} to {other.new}, and {old} to {new}",
                hint="finish one rename before the next",
            )
    flags = client or late_flags()
    publisher.add(rename, flags)
    watch(app, client=flags).tell_apart(
        {rename.name(each): Cohort(flag, each.value) for each in Variant}
    )
    if app.finalized:
        complete(app, rename)
    return rename


def declared(app: Any) -> list[Rename]:
    """Return the renames of an application."""
    publisher = _publishers.get(itself(app))
    return publisher.all() if publisher else []


def queue_of(app: Any, name: str) -> str:
    """Return where jobs of a name wait: as a rename says, else as the application's routes do."""
    for each in declared(app):
        if name in {each.old, each.new} and (queue := each.queue(each.variant(name))):
            return queue
    return routed(app, name)


def totals() -> list[Count]:
    """Return what became of the jobs of all renames in this process, by name and event."""
    names = {
        name
        for publisher in _publishers.values()
        for each in publisher.all()
        for name in (each.old, each.new)
    }
    return [each for each in counts.totals() if each.name in names]


def _publisher(app: Any) -> Publisher:
    publisher = _publishers.get(app)
    if publisher is None:
        _connect()
        publisher = _publishers[app] = Publisher(app)
        app.send_task = publisher
        app.steps["worker"].add(Ending)
        app.on_after_finalize.connect(_complete, weak=False)
    return publisher


def _complete(sender: Any = None, **_: object) -> None:
    for rename in declared(sender):
        complete(sender, rename)


def _worker_begins(conf: Any = None, instance: Any = None, **_: object) -> None:
    """Look once more when a worker has imported everything, and say what has no body."""
    del conf
    app = getattr(instance, "app", None)
    for rename in declared(app) if app is not None else ():
        if not complete(app, rename):
            log.error(
                "no task is named %s or %s: this worker discards jobs of both names; "
                "import the module that defines it",
                rename.old,
                rename.new,
            )


@cache
def _connect() -> None:
    signals.celeryd_init.connect(_worker_begins, weak=False)
    remote.offer()
