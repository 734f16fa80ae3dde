"""How is a queue deleted, so that no job can be lost with it?"""

from __future__ import annotations

from typing import Any

from flagstaff.errors import Conflict, UsageError
from flagstaff.workers.asking import Asker
from flagstaff.workers.draining import taken_from
from flagstaff.workers.rabbitmq_deleting import delete_in_rabbitmq
from flagstaff.workers.rabbitmq_management import Management
from flagstaff.workers.redis_deleting import delete_in_redis

HINT = "wait until workers have run it all: flagstaff workers drained"


def delete_queue(app: Any, asker: Asker, queue: str, management: Management | None = None) -> bool:
    """Delete a queue that holds nothing and that no worker takes jobs from.

    Returns:
        Whether it was there.

    Raises:
        Conflict: something is in it or was handed out of it, a worker takes jobs from it, or a
            worker that may do so does not answer.
        UsageError: the broker is of another kind, or has no management.
    """
    if management is not None:
        asker.expect(management.report().workers)
    answers = asker.ask("active_queues")
    if answers.doubt:
        raise Conflict(f"{queue} is not deleted: {answers.doubt}", hint="or give --workers N")
    if taken := taken_from(answers)[queue]:
        raise Conflict(
            f"{queue} is not deleted: {taken} workers take jobs from it",
            hint="deploy them without it first",
        )
    with app.connection_for_write() as connection:
        kind = connection.transport.driver_type
        if kind == "redis":
            there, doubt = delete_in_redis(connection.default_channel, queue)
        elif kind != "amqp":
            raise UsageError(f"queues of {kind} cannot be deleted", hint="do so by its own means")
        elif management is None:
            raise UsageError(
                "RabbitMQ does not say what it has handed out, but its management does",
                hint="give --management, such as http://rabbitmq.internal:15672",
            )
        else:
            there, doubt = delete_in_rabbitmq(connection, management, queue)
    if doubt:
        raise Conflict(f"{queue} is not deleted: {doubt}", hint=HINT)
    return there
