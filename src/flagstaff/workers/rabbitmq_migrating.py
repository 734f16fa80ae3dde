"""How do jobs that wait in RabbitMQ change their name and their queue, with none lost or doubled?

A message is taken, published as another one and acknowledged in one transaction of its channel: the
broker gets the commit or it does not. Whoever is killed before leaves the message where it was.
Messages of other names are held until the queue is read, and go back to their places.

One gap is AMQP's: a commit acknowledges also what it cannot route. When the new queue is deleted
between the look at it and the commit, what was to go there is published again where it came from,
in a second transaction; who is killed between the two loses that, a part of one batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amqp import Message, spec

from flagstaff.errors import Conflict, UsageError
from flagstaff.workers.migrated import Moved, Tell
from flagstaff.workers.migration import Migration
from flagstaff.workers.rabbitmq_management import Queue, Report
from flagstaff.workers.rabbitmq_places import DELAYED, MISSING, as_mapping, count
from flagstaff.workers.rabbitmq_returned import Replaced, identity, pop
from flagstaff.workers.rewriting import Rewrite, rewrite

BATCH = 200
"""Jobs of one transaction."""

MOST = 200_000
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
        """Go through every queue once, and return what was done in each.

        The old queue comes first: whoever is killed often shall not read each time what has moved.
        """
        first = self._migration.old_queue
        names = sorted(self._there, key=lambda name: (name != first, name))
        return [self._queue(self._there[name]) for name in names]

    def _queue(self, queue: Queue) -> Moved:
        moved = Moved(place=f"queue {queue.name}")
        ready, doubt = count(self._connection, queue.name)
        if doubt or (ready and queue.counts_deliveries):
            moved.left += max(ready, 1)
            moved.doubt = doubt or "it counts each look as a delivery"
        elif ready:
            self._read(queue, ready, moved)
        return moved

    def _read(self, queue: Queue, ready: int, moved: Moved) -> None:
        # Delayed delivery would begin anew: those are due when they are.
        only_read = self._dry or queue.limited or queue.name in DELAYED
        channel = self._connection.channel()
        batch = _Batch(channel, self._connection)
        held: list[int] = []
        try:
            for number, message in enumerate(_taken(channel, queue.name, ready), start=1):
                made = rewrite(as_mapping(message), self._migration, queue.name)
                moved.left += made.left
                if made.message is None or only_read:
                    held.append(message.delivery_info["delivery_tag"])
                    moved.left += made.message is not None and not self._dry
                else:
                    batch.replace(message, made, queue.name, self._target(queue, made))
                if made.message is not None and (self._dry or not only_read):
                    moved.jobs += made.own
                    moved.embedded += not made.own
                if len(held) >= MOST:
                    moved.left += ready - number
                    break
                self._tell(moved.place, number, ready)
            batch.commit()
            _give_back(channel, held)
        except self._connection.channel_errors as exc:
            _refused(exc, batch, ready, moved)  # and other queues may well be read
        finally:
            channel.close()

    def _target(self, queue: Queue, made: Rewrite) -> str:
        return self._migration.target(queue.name) if made.own else queue.name


def _refused(exc: Any, batch: _Batch, ready: int, moved: Moved) -> None:
    """Count what was not committed as where it was."""
    moved.jobs -= sum(each.own for each in batch.waiting)
    moved.embedded -= sum(not each.own for each in batch.waiting)
    if exc.reply_code == MISSING:  # the queue, with all that was left in it
        moved.left = 0
    else:
        moved.left = max(1, ready - moved.changed)
        moved.doubt = f"RabbitMQ refuses: {exc}"


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


def _give_back(channel: Any, held: list[int]) -> None:
    """Give back what was only read, some hundred at a time.

    RabbitMQ takes half a minute for some thousand together, and a second for them in parts.
    """
    for tag in sorted({*held[BATCH - 1 :: BATCH], *held[-1:]}):
        channel.send_method(spec.Basic.Nack, "Lbb", (tag, True, True))
        channel.tx_commit()
    channel.basic_recover(requeue=True)  # what was taken and not looked at


class _Batch:
    """Messages that are replaced together.

    Args:
        channel: that they were taken on.
        connection: of it.
    """

    def __init__(self, channel: Any, connection: Any) -> None:
        self._channel, self._connection = channel, connection
        self.waiting: list[Replaced] = []
        self._returned: list[tuple[Any, ...]] = []
        channel.tx_select()
        channel.events["basic_return"].add(self._note)

    def replace(self, message: Any, made: Rewrite, queue: str, target: str) -> None:
        """Publish what a message is to be, and acknowledge it, with the next commit."""
        told = made.message or {}
        properties = {**message.properties, "application_headers": told["headers"]}
        new = Message(told["body"], **properties)
        self._channel.basic_publish(new, exchange="", routing_key=target, mandatory=True)
        self._channel.basic_ack(message.delivery_info["delivery_tag"])
        self.waiting.append(
            Replaced(old=message, new=new, queue=queue, target=target, own=made.own)
        )
        if len(self.waiting) >= BATCH:
            self.commit()

    def commit(self) -> None:
        """Let it all happen.

        Raises:
            Conflict: the queue that jobs were to move to is gone; they are back where they were.
        """
        for target in {each.target for each in self.waiting}:
            self._check(target)
        self._channel.tx_commit()
        waiting, self.waiting = self.waiting, []
        returned, self._returned = self._returned, []
        lost = [each for told in returned if (each := pop(waiting, told)) is not None]
        if not lost:
            return
        for each in lost:
            old = Message(each.old.body, **each.old.properties)
            self._channel.basic_publish(old, exchange="", routing_key=each.queue)
        self._channel.tx_commit()
        raise Conflict(
            f"{lost[0].target} was deleted while jobs moved to it",
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

    def _note(self, _exc: object, _exchange: str, target: str, message: Any) -> None:
        self._returned.append(identity(target, message))


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
