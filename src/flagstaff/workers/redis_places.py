"""What do the queues of a Redis broker hold, and what has it handed out?

Kombu keeps what is handed out and not acknowledged in the hash `unacked`. The sorted set beside it
orders the hash and holds no message of its own. Read in this order: a job goes from list to hash to
worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flagstaff.workers.messages import NOTHING, UNREADABLE, Holds, decoded, in_message, in_raw
from flagstaff.workers.places import Place
from flagstaff.workers.redis_layout import CHUNK, Layout


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
    layout = Layout.of(channel)
    known = {*queues, *layout.bound()}
    found = {queue: _Found() for queue in known}
    for queue, key in layout.queue_lists(known):
        holds, exact = _in_list(layout.client, key, name)
        there = found.setdefault(queue, _Found())
        there.holds += holds
        there.exact &= exact
    places = [
        Place.of(f"queue {queue}", there.holds, exact=there.exact)
        for queue, there in sorted(found.items())
    ]
    places.append(_unacked(layout.client, layout.unacked, name, "unacked"))
    return places + [
        _unacked(layout.client, key, name, f"unacked in {key}") for key in layout.strange_hashes()
    ]


def _in_list(client: Any, key: str, name: str) -> tuple[Holds, bool]:
    # New messages come in on the left, and shift what was not read yet to the right: some are
    # read twice and none is missed.
    holds, start, before = NOTHING, 0, client.llen(key)
    while chunk := client.lrange(key, start, start + CHUNK - 1):
        for raw in chunk:
            holds += in_raw(raw, name)
        start += len(chunk)
    return holds, before == start == client.llen(key)


def _unacked(client: Any, key: str, name: str, place: str) -> Place:
    holds, before = NOTHING, client.hlen(key)
    for _, raw in client.hscan_iter(key, count=CHUNK):
        holds += in_unacked(raw, name)
    return Place.of(place, holds, exact=before == client.hlen(key))


def in_unacked(raw: bytes, name: str) -> Holds:
    """Return how something that was handed out holds the name."""
    try:
        message, *_ = decoded(raw)
    except (ValueError, TypeError):
        return UNREADABLE
    return in_message(message, name)
