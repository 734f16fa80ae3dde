r"""How does Kombu keep queues, and what leads to them, in one Redis?

A queue is one list for each priority, `name` and `name\x06\x163`; a set for each exchange holds
`routing key SEP pattern SEP queue`. The separator, the priorities and what all keys begin with are
transport options of the application.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flagstaff.errors import UsageError
from flagstaff.workers.messages import decoded, is_message

SEPARATOR = "\x06\x16"
"""Kombu's, where an application sets no other."""

BINDING = "_kombu.binding."
PERMANENT = "_kombu.binding_permanent."
"""Kombu's second set of an exchange has those members that do not end with their worker."""

PRIORITIES = range(10)
CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What an exchange says of one queue.

    Attributes:
        exchange: its name.
        member: as Redis has it.
        key: the routing key.
        pattern: of a topic exchange, a regular expression; else empty.
        queue: its name.
    """

    exchange: str
    member: bytes
    key: str
    pattern: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the application's transport options say.

    Attributes:
        client: for the broker.
        prefix: with which all keys begin: Kombu's own client hides it.
        separator: of a queue's name and a priority.
        priorities: that queues may have lists of.
        unacked: the key of what is handed out.
    """

    client: Any
    prefix: str
    separator: str
    priorities: frozenset[int]
    unacked: str

    @classmethod
    def of(cls, channel: Any) -> Layout:
        """Return that of a channel of Kombu's Redis transport."""
        import redis  # noqa: PLC0415 - the extra has it

        prefix = str(channel.global_keyprefix or "")
        return cls(
            client=redis.Redis(connection_pool=channel.pool),
            prefix=prefix,
            separator=str(channel.sep),
            priorities=frozenset({*PRIORITIES, *channel.priority_steps}),
            unacked=prefix + str(channel.unacked_key),
        )

    def queue_of(self, name: str, known: Container[str] = ()) -> str:
        """Return the queue that a list is of; in some separators a queue's name may go on."""
        queue, found, priority = name.rpartition(self.separator)
        if name in known or not found or not priority.isdecimal():
            return name
        sure = self.separator == SEPARATOR or int(priority) in self.priorities
        return queue if sure else name

    def lists_of(self, queue: str) -> set[str]:
        """Return the keys of all lists that a queue may have."""
        key = self.prefix + queue
        return {key, *(f"{key}{self.separator}{each}" for each in self.priorities)}

    def queue_lists(self, known: Container[str]) -> Iterator[tuple[str, str]]:
        """Return each list of a queue, with the queue's name: one queue has one a priority."""
        for key in self._keys("list"):
            queue = self.queue_of(key.removeprefix(self.prefix), known)
            if queue in known or self._is_queue(key):  # else it is a list of another program
                yield queue, key

    def bindings(self) -> Iterator[Binding]:
        """Return what exchanges say of queues."""
        for key in self._keys("set", BINDING):
            exchange = key.removeprefix(self.prefix + BINDING)
            for member in self.client.smembers(key):
                parts = (_text(member) or "").split(self.separator, 2)
                if len(parts) == 3:  # noqa: PLR2004 else it is of another separator
                    one, pattern, queue = parts
                    yield Binding(
                        exchange=exchange, member=member, key=one, pattern=pattern, queue=queue
                    )

    def bound(self) -> Iterator[str]:
        """Return the queues of all exchanges."""
        for each in self.bindings():
            if not each.queue.endswith(".pidbox"):  # questions to workers, not jobs
                yield each.queue

    def check(self, *queues: str) -> None:
        """Make sure that these queues are kept as this layout says.

        Raises:
            UsageError: an exchange knows one by another separator, so that most of its lists
                would be missed.
        """
        ends = tuple(each.encode() for each in queues if each)
        for key in self._keys("set", BINDING) if ends else ():
            for member in self.client.smembers(key):
                if member.endswith(ends) and self.separator.encode() not in member:
                    raise UsageError(
                        f"{member.decode(errors='replace')!r} in {key} has another separator than "
                        f"{self.separator!r}",
                        hint="give --app, whose broker_transport_options have `sep`",
                    )

    def strange_hashes(self) -> list[str]:
        """Return other hashes of what was handed out: another `unacked_key`, or another prefix."""
        return [
            key for key in self._keys("hash") if key != self.unacked and self._is_handed_out(key)
        ]

    def _is_handed_out(self, key: str) -> bool:
        for raw in self.client.hscan(key, count=1)[1].values():
            try:
                message, _, _ = decoded(raw)
            except (ValueError, TypeError):
                return False
            return is_message(json.dumps(message))
        return False

    def _keys(self, kind: str, start: str = "") -> Iterator[str]:
        """Return the keys of a type; one that is no text is no key of Kombu's."""
        match = _literal(self.prefix + start) + "*"
        keys = self.client.scan_iter(match=match, count=CHUNK, _type=kind)
        yield from dict.fromkeys(text for key in keys if (text := _text(key)) is not None)

    def _is_queue(self, key: str) -> bool:
        """Say whether a list that no exchange knows holds messages of Kombu nevertheless."""
        ends = (self.client.lindex(key, 0), self.client.lindex(key, -1))
        return not key.endswith(".pidbox") and any(raw and is_message(raw) for raw in ends)


def queues_for(bindings: Iterable[Binding], exchange: str, key: str) -> set[str]:
    """Return the queues that a message comes back into; none where nobody can say.

    Only those who declare an exchange know whether it is direct or topic, so what either would do
    counts.
    """
    if not exchange:
        return {key} if key else set()
    return {
        each.queue
        for each in bindings
        if each.exchange == exchange and (each.key == key or _matches(each.pattern, key))
    }


def _matches(pattern: str, key: str) -> bool:
    if not pattern:
        return False
    compiled = _compiled(pattern)
    return compiled is None or bool(compiled.match(key))


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _literal(text: str) -> str:
    return "".join(f"\\{each}" if each in "*?[]\\^" else each for each in text)


def _text(key: bytes | str) -> str | None:
    try:
        return key if isinstance(key, str) else key.decode()
    except UnicodeDecodeError:
        return None
