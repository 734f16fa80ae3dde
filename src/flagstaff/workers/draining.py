"""Is it proven that no job of a name is left?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flagstaff.workers.asking import Answers, Asker
from flagstaff.workers.places import Place, State
from flagstaff.workers.rabbitmq_management import Management
from flagstaff.workers.rabbitmq_places import counted_places, handed_out, read_places
from flagstaff.workers.redis_places import redis_places
from flagstaff.workers.worker_places import worker_places

PAUSE = 1.0
"""Seconds between two looks."""

Scan = Callable[[], list[Place]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The last look, and for how many seconds looks have found nothing, one after another."""

    name: str
    places: tuple[Place, ...]
    looks: int
    stable: float
    wanted: float

    @property
    def drained(self) -> bool:
        """Say whether it is proven: every place empty, at every look, for long enough."""
        return self.stable >= self.wanted and is_empty(self.places)


def is_empty(places: Iterable[Place]) -> bool:
    """Say whether every place is known to be empty."""
    return all(each.state is State.EMPTY for each in places)


def scan(  # noqa: PLR0913  each answers a question of its own
    app: Any,
    asker: Asker,
    name: str,
    *,
    queues: Iterable[str] = (),
    own: bool,
    management: Management | None = None,
    cleaned_up: bool = False,
) -> list[Place]:
    """Look into every place once.

    Args:
        app: a Celery application with the address of the broker.
        asker: of the same broker.
        name: that is looked for.
        queues: besides those that the broker and the workers name.
        own: whether `app` is the team's own, with its settings, or one made up for the address.
        management: of RabbitMQ, where it can be asked.
        cleaned_up: whether workers are not expected to say what only Flagstaff's part of them can.
    """
    known = {*queues, *(app.amqp.queues if own else ())}
    if management is not None:
        asker.expect(management.report().workers)
    known |= takers(asker).keys()
    unseen = False
    with app.connection_for_read() as connection:
        if connection.transport.driver_type == "redis":
            broker = redis_places(connection.default_channel, name, known)
        elif connection.transport.driver_type == "amqp":
            unseen = True
            broker = _in_rabbitmq(connection, asker, name, known, management)
        else:
            broker = [
                Place(
                    place="broker",
                    doubt=f"{connection.transport.driver_type} cannot be looked into",
                )
            ]
    told = worker_places(asker, name, app if own else None, unseen=unseen, cleaned_up=cleaned_up)
    return [*broker, *told]


def takers(asker: Asker) -> Counter[str]:
    """Return how many workers that answer take jobs from each queue."""
    return taken_from(asker.ask("active_queues"))


def taken_from(answers: Answers) -> Counter[str]:
    """Return how many workers take jobs from each queue, by what they answered."""
    told = [said for _, said in answers.replies if isinstance(said, list)]
    return Counter(str(each["name"]) for said in told for each in said)


def _in_rabbitmq(
    connection: Any, asker: Asker, name: str, queues: set[str], management: Management | None
) -> list[Place]:
    if management is None:
        return counted_places(connection, queues)
    places = read_places(connection, name, management.report(), queues)
    return [*places, handed_out(management, lambda: takers(asker))]


def prove(
    look: Scan,
    name: str,
    *,
    stable: float,
    pause: float = PAUSE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Proof:
    """Look again and again until nothing was found for `stable` seconds, or something was.

    A job that moves between two places while one look is under way may be missed by it, so there
    are always two.
    """
    began, looks = clock(), 0
    while True:
        places = tuple(look())
        looks += 1
        held = clock() - began
        proof = Proof(name=name, places=places, looks=looks, stable=held, wanted=stable)
        if not is_empty(places) or (looks > 1 and held >= stable):
            return proof
        sleep(min(pause, max(stable - held, 0.0)))
