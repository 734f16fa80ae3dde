"""How do actors of Dramatiq, on Redis, follow a rename?"""

from __future__ import annotations

import json
import logging
import threading
from typing import Any
from uuid import uuid4

from flagstaff.errors import MissingExtra, UsageError
from flagstaff.workers.adapters.announcing import COUNTS_FOR, Board
from flagstaff.workers.adapters.protocol import HEADER, Renames, header, silent, surely
from flagstaff.workers.knowing import Knowledge
from flagstaff.workers.migrated import Outcome, Tell, until_settled
from flagstaff.workers.migration import Migration
from flagstaff.workers.places import Place
from flagstaff.workers.rename import Flags, Rename
from flagstaff.workers.switches import Switches
from flagstaff.workers.verdicts import Deferral

try:
    from dramatiq import Actor, Middleware
    from redis.exceptions import RedisError
except ModuleNotFoundError as exc:
    raise MissingExtra.named("dramatiq", package="dramatiq") from exc

from flagstaff.workers.adapters.dramatiq_messages import ahead, leads_to
from flagstaff.workers.adapters.dramatiq_migrating import DramatiqMigrating, keys, words
from flagstaff.workers.adapters.dramatiq_results import share
from flagstaff.workers.adapters.dramatiq_switching import Gate

log = logging.getLogger("flagstaff")

UNREAD = "cannot be read"

JOIN = 5.0
"""Seconds that a worker which ends waits for what it says last."""


class DramatiqAdapter:
    """The actors of one broker.

    Args:
        broker: a `RedisBroker`; messages are in Dramatiq's own JSON.
    """

    def __init__(self, broker: Any) -> None:
        self._broker, self._renames = broker, Renames()
        self._plain = broker.enqueue
        self._board = Board(broker.client, "dramatiq")
        broker.enqueue = self._enqueue
        broker.add_middleware(_Announcer(self._board, self._renames))

    def declare(self, rename: Rename, flags: Flags) -> None:
        """Give an actor both names; it has to be declared under one of them before.

        Raises:
            UsageError: neither of the two is an actor.
        """
        actors = self._broker.actors
        found = actors.get(rename.old) or actors.get(rename.new)
        if found is None:
            raise UsageError(
                f"neither {rename.old} nor {rename.new} is an actor",
                hint="import the module that defines it before the rename is declared",
            )
        for name, queue in ((rename.old, rename.old_queue), (rename.new, rename.new_queue)):
            if name not in actors:
                Actor(
                    found.fn,
                    broker=self._broker,
                    actor_name=name,
                    queue_name=queue or found.queue_name,
                    priority=found.priority,
                    options=dict(found.options),
                )
            elif queue:
                # Workers take jobs from the queues of actors, so both have to be declared.
                self._broker.declare_queue(queue)
        self._renames.add(rename, flags)
        share(self._broker, self._renames)

    def known(self, name: str, queue: str = "", expected: int = 0) -> Knowledge:
        """Return which workers have said that they know a name; `expected` of them there must be.

        Dramatiq's heartbeats are of producers too, so how many workers there are nobody knows.
        """
        return self._board.known(name, queue, expected=expected)

    def scan(self, name: str) -> list[Place]:
        """Look into the messages of every queue: waiting, due later, handed out, and dead."""
        queues = {*keys(self._broker), *self._broker.queues}
        return [self._place(each, name) for each in sorted(queues)]

    def migrate(
        self,
        migration: Migration,
        *,
        workers: int = 0,
        force: bool = False,
        dry: bool = False,
        tell: Tell = silent,
    ) -> Outcome:
        """Rename and move what waits in Redis: in queues, due later, and dead.

        What is handed out is left: the worker that has it publishes it again as it is.

        Raises:
            Conflict: workers do not know the new name.
        """
        if not (force or dry):
            surely(self.known(migration.new, migration.new_queue, workers))
        look = DramatiqMigrating(self._broker, migration, tell=tell, dry=dry).look
        return until_settled(migration, look, 1) if dry else until_settled(migration, look)

    def switch(self, client: Any, deferral: Deferral | None = None) -> None:
        """Put off and drop messages in workers of this broker, as switches of the client say."""
        switches = Switches()
        switches.follow(client)
        self._broker.add_middleware(Gate(switches, deferral or Deferral()))

    def _place(self, queue: str, name: str) -> Place:
        own = embedded = unread = 0
        key = f"{self._broker.namespace}:{queue}.msgs"
        for _, raw in self._broker.client.hscan_iter(key):
            try:
                message = json.loads(raw)
                own += message["actor_name"] == name
                embedded += message["actor_name"] != name and leads_to(message, name)
            except (ValueError, KeyError, TypeError):
                unread += 1
        doubt = f"{unread} messages {UNREAD}" if unread else ""
        return Place(place=words(queue), count=own, embedded=embedded, doubt=doubt)

    def _enqueue(self, message: Any, *, delay: int | None = None) -> Any:
        """Publish a message, under the name that the flag says now if it was not asked before.

        Retries, messages that are due and those that follow others come here too.
        """
        if following := ahead(message.options, self._renames):
            message = message.copy(options=following)
        if HEADER not in message.options:
            name, args = message.actor_name, message.args
            wanted = self._renames.wanted(name, message.message_id, args, message.kwargs)
            if wanted is not None:
                rename, variant = wanted
                queue = message.queue_name
                if queue in {rename.old_queue, rename.new_queue}:
                    queue = rename.queue(variant)
                message = message.copy(
                    actor_name=rename.name(variant),
                    queue_name=queue,
                    options={HEADER: header(rename, variant)},
                )
        return self._plain(message, delay=delay)


class _Announcer(Middleware):
    """Says what a worker knows while it runs."""

    def __init__(self, board: Board, renames: Renames) -> None:
        self._board, self._renames = board, renames
        self._node, self._ends = "", threading.Event()
        self._thread: threading.Thread | None = None

    def after_worker_boot(self, broker: Any, worker: Any) -> None:
        """Begin to say so."""
        del worker
        self._node, self._ends = uuid4().hex, threading.Event()
        self._say(broker)
        self._thread = threading.Thread(target=self._run, args=(broker,), name="flagstaff-knows")
        self._thread.daemon = True
        self._thread.start()

    def before_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """Take it back."""
        del broker, worker
        self._ends.set()
        if self._thread is not None:  # else it may say once more what was just taken back
            self._thread.join(JOIN)
        self._board.leave(self._node)

    def _run(self, broker: Any) -> None:
        while not self._ends.wait(COUNTS_FOR / 4):
            self._say(broker)

    def _say(self, broker: Any) -> None:
        try:
            self._board.say(self._node, broker.actors, broker.queues)
        except (RedisError, OSError) as exc:  # it is said again soon
            log.warning("Redis does not hear which actors this worker knows: %s", exc)
