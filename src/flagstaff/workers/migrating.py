"""How are jobs that wait under an old name given the new one?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flagstaff.errors import UsageError
from flagstaff.workers.asking import Asker
from flagstaff.workers.knowing import who_knows
from flagstaff.workers.migrated import PASSES, Outcome, Tell, until_settled
from flagstaff.workers.migration import Migration
from flagstaff.workers.rabbitmq_management import Management
from flagstaff.workers.redis_migrating import RedisMigrating


def dangers(
    asker: Asker, migration: Migration, management: Management | None = None
) -> tuple[str, ...]:
    """Return why jobs would be lost under the new name: a worker discards what it does not know."""
    if management is not None:
        asker.expect(management.report().workers)
    known = who_knows(asker, migration.new, migration.new_queue)
    return known.problems


def migrate(
    app: Any,
    migration: Migration,
    *,
    queues: Iterable[str] = (),
    tell: Tell,
    dry: bool,
    management: Management | None = None,
) -> Outcome:
    """Rename and move what waits at the broker, again and again until nothing is found.

    It may be killed at any time and begun anew: each job is there once, under one of the names.

    Args:
        app: a Celery application with the address of the broker.
        migration: what is wanted.
        queues: to look into besides those that the broker names.
        tell: hears how far it is.
        dry: whether everything is only counted.
        management: of RabbitMQ, which has to be asked.

    Raises:
        UsageError: the broker is of another kind, or has no management.
    """
    known = {*queues, migration.old_queue} - {""}
    passes = 1 if dry else PASSES
    with app.connection_for_write() as connection:
        kind = connection.transport.driver_type
        if kind == "redis":
            channel = connection.default_channel
            look = RedisMigrating(channel, migration, known, tell=tell, dry=dry).look
            return until_settled(migration, look, passes)
        if kind != "amqp":
            raise UsageError(
                f"jobs on {kind} cannot be migrated",
                hint="wait until workers have run them: flagstaff workers drained",
            )
        if management is None:
            raise UsageError(
                "RabbitMQ does not say which queues there are, but its management does",
                hint="give --management, such as http://rabbitmq.internal:15672",
            )
        from flagstaff.workers.rabbitmq_migrating import (  # noqa: PLC0415 not with every broker
            RabbitMigrating,
        )

        report = management.report()
        look = RabbitMigrating(connection, migration, report, tell=tell, dry=dry).look
        return until_settled(migration, look, passes)
