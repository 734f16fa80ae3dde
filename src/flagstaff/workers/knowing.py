"""Does every worker that is alive know a name?"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from flagstaff.workers.asking import ENDING, Asker, is_error

log = logging.getLogger("flagstaff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What one worker says.

    Attributes:
        node: its name.
        knows: whether it can run jobs of the name.
        queues: those that it takes jobs from.
    """

    node: str
    knows: bool
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Who knows a name, and why it is not safe to publish it yet; `problems` is empty if it is."""

    name: str
    workers: tuple[Worker, ...]
    problems: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Say whether the name may be published."""
        return not self.problems


def who_knows(asker: Asker, name: str, queue: str = "") -> Knowledge:
    """Ask every worker whether it knows a name; one that was told to end gets no jobs any more.

    Args:
        asker: of the broker.
        name: that is to be published.
        queue: where; a worker has to take jobs from it.
    """
    registered = asker.ask("registered")
    queues = asker.ask("active_queues")
    taken = {node: _names(said) for node, said in queues.replies}
    workers = tuple(
        Worker(node=node, knows=name in _tasks(said), queues=taken.get(node, ()))
        for node, said in sorted(registered.replies, key=lambda reply: reply[0])
        if ENDING not in node
    )
    problems = [f"{each.node} does not know {name}" for each in workers if not each.knows]
    if not workers:
        problems.append("no worker answers")
    if doubt := registered.doubt or queues.doubt:
        problems.append(doubt)
    if queue and not any(queue in each.queues for each in workers):
        problems.append(f"no worker takes jobs from {queue}")
    return Knowledge(name=name, workers=workers, problems=tuple(problems))


def routed(app: Any, name: str) -> str:
    """Return the queue that an application's own routes lead a name to; empty if they say none."""
    try:
        queue = app.amqp.router.route({}, name, (), {}).get("queue")
    except Exception as exc:  # noqa: BLE001 - a route is code of the team's own
        log.warning("the routes do not say where %s waits: %s", name, exc)
        return ""
    return str(getattr(queue, "name", queue) or "")


def _tasks(said: Any) -> set[str]:
    # Celery adds settings to some: `app.notify [rate_limit=10/s]`.
    return set() if is_error(said) else {str(each).partition(" [")[0] for each in said or ()}


def _names(said: Any) -> tuple[str, ...]:
    return () if is_error(said) else tuple(str(each["name"]) for each in said or ())
