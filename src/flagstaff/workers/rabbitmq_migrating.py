"""How do jobs that wait in RabbitMQ change their name and their queue, with none lost or doubled?

A message is taken, published as another one and acknowledged in one transaction of its channel: the
broker gets the commit or it does not. Whoever is killed before leaves the message where it was.
Messages of other names are held until the queue is read, and go back to their places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amqp import Message, spec

from flagstaff.errors import Conflict, UsageError
from flagstaff.workers.migrated import Moved, Tell
from flagstaff.workers.rabbitmq_management import Queue, Report
from flagstaff.workers.rabbitmq_places import DELAYED, as_mapping, count
from flagstaff.workers.rewriting import Migration, rewrite

BATCH = 200
"""Jobs of one transaction."""

MOST = 20_000
"""Messages of other names that are held while a queue is read; workers do not get them."""


class RabbitMigrating:
    """Migrates what waits in one virtual host.

    Args:
        connection: Kombu's, of an AMQP transport.
        migration: what is wanted.
        report: of the management.
        tell: hears how far it is.
        dry: whether everything is only counted.

    Raises:
        UsageError: a queue is missing, or one that might throw jobs away.
    """

    def __init__(
        self, connection: Any, migration: Migration, report: Report, *, tell: Tell, dry: bool
    ) -> None:
        self._connection, self._migration = connection, migration
        self._tell, self._dry = tell, dry
        self._there = {each.name: each for each in report.queues}
        for queue in {migration.old_queue, migration.new_queue} - {""}:
            _check(queue, self._there.get(queue))

    def look(self) -> list[Moved]:
        """Go through every queue once, and return what was done in each."""
        return [self._queue(each) for _, each in sorted(self._there.items())]

    def _queue(self, queue: Queue) -> Moved:
        moved = Moved(place=f"queue {queue.name}")
        ready, doubt = count(self._connection, queue.name)
        if doubt or (ready and queue.counts_deliveries):
            moved.left += max(ready, 1)
        elif ready:
            self._read(queue, ready, moved)
        return moved

    def _read(self, queue: Queue, ready: int, moved: Moved) -> None:
        # Delayed delivery would begin anew: those are due when they are.
        only_read = self._dry or queue.limited or queue.name in DELAYED
        channel = self._connection.channel()
        batch = _Batch(channel, self._connection)
        held = 0
        try:
            for number, message in enumerate(_taken(channel, queue.name, ready), start=1):
                made = rewrite(as_mapping(message), self._migration, queue.name)
                moved.left += made.left
                if made.message is None or only_read:
                    held += 1
                    moved.left += made.message is not None and not self._dry
                else:
                    target = self._migration.target(queue.name) if made.own else queue.name
                    batch.replace(message, made.message, queue.name, target)
                if made.message is not None and (self._dry or not only_read):
                    moved.jobs += made.own
                    moved.embedded += not made.own
                if held >= MOST:
                    moved.left += ready - number
                    break
                self._tell(moved.place, number, ready)
            batch.commit()
            channel.basic_recover(requeue=True)
        finally:
            channel.close()


def _taken(channel: Any, queue: str, most: int) -> Iterator[Any]:
    """Take messages one after the other, some hundred on one way to the broker and back.

    Answers come in the order of the questions, and all of them are read before anything else is
    asked on the channel, which would overlook them.
    """
    for start in range(0, most, BATCH):
        asked = min(BATCH, most - start)
        for _ in range(asked):
            channel.send_method(spec.Basic.Get, "Bsb", (0, queue, False))
        answers = [
            channel.wait([spec.Basic.GetOk, spec.Basic.GetEmpty], returns_tuple=True)
            for _ in range(asked)
        ]
        found = [channel._on_get_ok(*each) for each in answers if len(each or ()) > 1]  # noqa: SLF001 - as `basic_get` does
        yield from found
        if len(found) < asked:
            return


class _Batch:
    """Messages that are replaced together.

    Args:
        channel: that they were taken on.
        connection: of it.
    """

    def __init__(self, channel: Any, connection: Any) -> None:
        self._channel, self._connection = channel, connection
        self._waiting: list[tuple[Any, str, str]] = []
        self._returned = False
        channel.tx_select()
        channel.events["basic_return"].add(self._note)

    def replace(self, message: Any, made: dict[str, Any], queue: str, target: str) -> None:
        """Publish what a message is to be, and acknowledge it, with the next commit."""
        properties = {**message.properties, "application_headers": made["headers"]}
        new = Message(made["body"], **properties)
        self._channel.basic_publish(new, exchange="", routing_key=target, mandatory=True)
        self._channel.basic_ack(message.delivery_info["delivery_tag"])
        self._waiting.append((message, queue, target))
        if len(self._waiting) >= BATCH:
            self.commit()

    def commit(self) -> None:
        """Let it all happen.

        Raises:
            Conflict: the queue that jobs were to move to is gone; they are back where they were.
        """
        for target in {target for _, _, target in self._waiting}:
            self._check(target)
        self._channel.tx_commit()
        waiting, self._waiting = self._waiting, []
        if not self._returned:
            return
        for message, queue, _ in waiting:
            old = Message(message.body, **message.properties)
            self._channel.basic_publish(old, exchange="", routing_key=queue)
        self._channel.tx_commit()
        raise Conflict(
            f"{waiting[0][2]} was deleted while jobs moved to it",
            hint="they are back where they were: declare the queue, and begin anew",
        )

    def _check(self, target: str) -> None:
        """Make sure that the queue is there: the commit acknowledges what it cannot route."""
        channel = self._connection.channel()
        try:
            channel.queue_declare(target, passive=True)
        except self._connection.channel_errors as exc:
            raise Conflict(
                f"{target} is not there to move jobs to: {exc}",
                hint="those that have not moved are where they were",
            ) from exc
        finally:
            channel.close()

    def _note(self, *_: object) -> None:
        self._returned = True


def _check(queue: str, known: Queue | None) -> None:
    if known is None:
        raise UsageError(
            f"RabbitMQ has no queue {queue}", hint="start a worker that takes jobs from it"
        )
    if known.counts_deliveries:
        raise UsageError(
            f"{queue} is no classic queue: its messages cannot be taken and given back",
            hint="wait until workers have run them: flagstaff workers drained",
        )
    if known.limited:
        raise UsageError(
            f"{queue} has a limit of its length, and might throw jobs away",
            hint="take the limit away while jobs move",
        )
