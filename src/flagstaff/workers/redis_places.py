r"""What do the queues of a Redis broker hold, and what has it handed out?

Kombu keeps a queue in one list for each priority, `name` and `name\x06\x163`, and what is handed
out and not acknowledged in the hash `unacked`. The sorted set beside it orders the hash and holds
no message of its own. Read in this order: a job goes from list to hash to worker.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flagstaff.workers.messages import NOTHING, UNREADABLE, Holds, in_message, in_raw, is_message
from flagstaff.workers.places import Place

SEPARATOR = "\x06\x16"
CHUNK = 500


@dataclass(slots=True)
class _Found:
    holds: Holds = NOTHING
    exact: bool = True


def redis_places(channel: Any, name: str, queues: Iterable[str]) -> list[Place]:
    """Return every queue that is known here, any other list that holds the name, and the hash.

    Args:
        channel: Kombu's, of a Redis transport.
        name: that is looked for.
        queues: those that are known from elsewhere.
    """
    client, prefix = client_of(channel)
    known = {*queues, *bound(client, prefix)}
    found = {queue: _Found() for queue in known}
    for queue, key in queue_lists(client, prefix, known):
        holds, exact = _in_list(client, key, name)
        there = found.setdefault(queue, _Found())
        there.holds += holds
        there.exact &= exact
    places = [
        Place.of(f"queue {queue}", there.holds, exact=there.exact)
        for queue, there in sorted(found.items())
    ]
    return [*places, _unacked(client, prefix + str(channel.unacked_key), name)]


def client_of(channel: Any) -> tuple[Any, str]:
    """Return a client for the broker, and what its keys begin with: Kombu's own client hides it."""
    import redis  # noqa: PLC0415 - the extra has it

    return redis.Redis(connection_pool=channel.pool), str(channel.global_keyprefix or "")


def queue_lists(client: Any, prefix: str, known: Container[str]) -> Iterator[tuple[str, str]]:
    """Return each list of a queue, with the queue's name; one queue has one for each priority."""
    for key in _lists(client, prefix):
        queue = key.removeprefix(prefix).partition(SEPARATOR)[0]
        if queue in known or _is_queue(client, key):  # else it is a list of another program
            yield queue, key


def bindings(client: Any, prefix: str) -> Iterator[tuple[str, bytes, str]]:
    """Return what exchanges say of queues: the exchange's key, what it holds, and the queue.

    What it holds is `routing key SEP pattern SEP queue`.
    """
    start = f"{prefix}_kombu.binding."
    for key in client.scan_iter(match=_literal(start) + "*", count=CHUNK, _type="set"):
        for member in client.smembers(key):
            yield _text(key), member, _text(member).rpartition(SEPARATOR)[2]


def bound(client: Any, prefix: str) -> Iterator[str]:
    """Return the queues of all exchanges."""
    for _, _, queue in bindings(client, prefix):
        if not queue.endswith(".pidbox"):  # questions to workers, not jobs
            yield queue


def _is_queue(client: Any, key: str) -> bool:
    """Say whether a list that no exchange knows holds messages of Kombu nevertheless."""
    ends = (client.lindex(key, 0), client.lindex(key, -1))
    return not key.endswith(".pidbox") and any(raw and is_message(raw) for raw in ends)


def _lists(client: Any, prefix: str) -> Iterator[str]:
    keys = client.scan_iter(match=_literal(prefix) + "*", count=CHUNK, _type="list")
    yield from dict.fromkeys(_text(key) for key in keys)


def _in_list(client: Any, key: str, name: str) -> tuple[Holds, bool]:
    # New messages come in on the left, and shift what was not read yet to the right: some are
    # read twice and none is missed.
    holds, start, before = NOTHING, 0, client.llen(key)
    while chunk := client.lrange(key, start, start + CHUNK - 1):
        for raw in chunk:
            holds += in_raw(raw, name)
        start += len(chunk)
    return holds, before == start == client.llen(key)


def _unacked(client: Any, key: str, name: str) -> Place:
    holds, before = NOTHING, client.hlen(key)
    for _, raw in client.hscan_iter(key, count=CHUNK):
        holds += _in_unacked(raw, name)
    return Place.of("unacked", holds, exact=before == client.hlen(key))


def _in_unacked(raw: bytes, name: str) -> Holds:
    try:
        message, *_ = json.loads(raw)
    except ValueError:
        return UNREADABLE
    return in_message(message, name)


def _literal(text: str) -> str:
    return "".join(f"\\{each}" if each in "*?[]\\^" else each for each in text)


def _text(key: bytes | str) -> str:
    return key if isinstance(key, str) else key.decode(errors="surrogateescape")
