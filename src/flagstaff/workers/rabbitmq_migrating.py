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
from contextlib import ExitStack
from typing import Any

from amqp import Message, spec

from flagstaff.errors import Conflict, UsageError
from flagstaff.workers.migrated import Moved, Tell
from flagstaff.workers.migration import Migration
from flagstaff.workers.rabbitmq_management import Queue, Report
from flagstaff.workers.rabbitmq_places import MISSING, as_mapping, count, is_delayed
from flagstaff.workers.rabbitmq_returned import Replaced, identity, pop
from flagstaff.workers.rewriting import Rewrite, rewrite

PART = 500
"""Messages that are taken together; those that change do so in one transaction."""

AHEAD = 100
"""Messages that are asked for before the answers are read."""

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
        # Two channels are for looking whether a queue is there.
        self._most = min(MOST, PART * (connection.connection.channel_max - 2))
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
        """Read what waits, a part after the other, each on a channel of its own.

        Closing a channel gives back what it holds. The last part is the first to go: RabbitMQ puts
        it at the front of the queue. For any other it would look for the place, message by message.
        """
        read = held = 0
        with ExitStack() as holding:
            while read < ready and held < self._most:
                part = _Part(self._connection)
                holding.callback(part.close)
                asked = min(PART, ready - read)
                try:
                    for message in _taken(part.channel, queue.name, asked):
                        read += 1
                        self._look_at(message, queue, part, moved)
                        self._tell(moved.place, read, ready)
                    part.commit()
                except self._connection.channel_errors as exc:
                    _refused(exc, part, ready, moved)  # and other queues may well be read
                    return
                if not part.held:
                    part.close()
                held += part.held
                if part.taken < asked:  # workers took the others
                    return
        moved.left += ready - read

    def _look_at(self, message: Any, queue: Queue, part: _Part, moved: Moved) -> None:
        made = rewrite(as_mapping(message), self._migration, queue.name)
        moved.left += made.left
        part.taken += 1
        # Delayed delivery would begin anew: those are due when they are.
        fixed = queue.limited or is_delayed(queue.name)
        if made.message is None or self._dry or fixed:
            part.held += 1
        else:
            part.replace(message, made, queue.name, self._target(queue, made))
        if made.message is None:
            return
        if fixed and not self._dry:
            moved.left += 1
        else:
            moved.jobs += made.own
            moved.embedded += not made.own

    def _target(self, queue: Queue, made: Rewrite) -> str:
        return self._migration.target(queue.name) if made.own else queue.name


def _refused(exc: Any, part: _Part, ready: int, moved: Moved) -> None:
    """Count what was not committed as where it was."""
    moved.jobs -= sum(each.own for each in part.waiting)
    moved.embedded -= sum(not each.own for each in part.waiting)
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
    for start in range(0, most, AHEAD):
        asked = min(AHEAD, most - start)
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


class _Part:
    """Messages that are taken together, on a channel of their own.

    Args:
        connection: Kombu's, of an AMQP transport.

    Attributes:
        channel: what was taken and is not committed goes back when it is closed.
        taken: so many messages were looked at.
        held: so many of them stay as they are.
        waiting: those that become others with the commit.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.channel = connection.channel()
        self.taken = self.held = 0
        self.waiting: list[Replaced] = []
        self._returned: list[tuple[Any, ...]] = []
        self.channel.tx_select()
        self.channel.events["basic_return"].add(self._note)

    def close(self) -> None:
        """Give back what is held."""
        self.channel.close()

    def replace(self, message: Any, made: Rewrite, queue: str, target: str) -> None:
        """Publish what a message is to be, and acknowledge it, with the commit."""
        told = made.message or {}
        properties = {**message.properties, "application_headers": told["headers"]}
        new = Message(told["body"], **properties)
        self.channel.basic_publish(new, exchange="", routing_key=target, mandatory=True)
        self.channel.basic_ack(message.delivery_info["delivery_tag"])
        self.waiting.append(
            Replaced(old=message, new=new, queue=queue, target=target, own=made.own)
        )

    def commit(self) -> None:
        """Let it all happen.

        Raises:
            Conflict: the queue that jobs were to move to is gone; they are back where they were.
        """
        for target in {each.target for each in self.waiting}:
            self._check(target)
        self.channel.tx_commit()
        waiting, self.waiting = self.waiting, []
        returned, self._returned = self._returned, []
        lost = [each for told in returned if (each := pop(waiting, told)) is not None]
        if not lost:
            return
        for each in lost:
            old = Message(each.old.body, **each.old.properties)
            self.channel.basic_publish(old, exchange="", routing_key=each.queue)
        self.channel.tx_commit()
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
