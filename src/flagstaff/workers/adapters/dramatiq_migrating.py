"""How do messages of Dramatiq in Redis change their name and queue, with none lost or doubled?

Dramatiq keeps a list of ids for each queue, and the messages in a hash beside it. Only what is in
the list is changed, in scripts that Redis runs as a whole or not at all: what is in the hash and
not in the list was handed out, and the worker that has it will publish it again as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from flagstaff.workers.adapters.dramatiq_messages import Made, made, target
from flagstaff.workers.migrated import Moved, Tell
from flagstaff.workers.migration import Migration

BATCH = 500
"""Messages that one script looks at: it keeps others waiting for some milliseconds."""

IN_LIST = """
-- KEYS: the list and the hash of the queue that messages are in, and of the one that they go to.
-- ARGV: a mark that no id is; how many on the left are passed by; how many are looked at; then each
-- id with its message as it was and as it is to be.
local made = {}
for at = 4, #ARGV, 3 do made[ARGV[at]] = {ARGV[at + 1], ARGV[at + 2]} end
local first = tonumber(ARGV[2])
local there = redis.call('LRANGE', KEYS[1], first, first + tonumber(ARGV[3]) - 1)
local done, marked = 0, 0
for at, id in ipairs(there) do
  local pair = made[id]
  if pair and redis.call('HGET', KEYS[2], id) == pair[1] then
    -- Adding comes first: a Redis that is full refuses it, and then nothing has changed.
    redis.call('HSET', KEYS[4], id, pair[2])
    if KEYS[1] ~= KEYS[3] then
      redis.call('RPUSH', KEYS[3], id)
      redis.call('LSET', KEYS[1], first + at - 1, ARGV[1])
      redis.call('HDEL', KEYS[2], id)
      marked = marked + 1
    end
    done = done + 1
  end
end
if marked > 0 then redis.call('LREM', KEYS[1], marked, ARGV[1]) end
return done
"""

IN_DEAD = """
-- KEYS: the sorted set and the hash of dead letters, and those that they go to. ARGV: as above.
local done = 0
for at = 1, #ARGV, 3 do
  local id, score = ARGV[at], redis.call('ZSCORE', KEYS[1], ARGV[at])
  if score and redis.call('HGET', KEYS[2], id) == ARGV[at + 1] then
    redis.call('HSET', KEYS[4], id, ARGV[at + 2])
    if KEYS[1] ~= KEYS[3] then
      redis.call('ZADD', KEYS[3], score, id)
      redis.call('ZREM', KEYS[1], id)
      redis.call('HDEL', KEYS[2], id)
    end
    done = done + 1
  end
end
return done
"""


def keys(broker: Any) -> list[str]:
    """Return the queues that have messages, and those that are declared; dead letters as well."""
    space = f"{broker.namespace}:"
    found = (each.decode() for each in broker.client.scan_iter(f"{space}*.msgs"))
    return sorted({*(each.removeprefix(space).removesuffix(".msgs") for each in found)})


def words(queue: str) -> str:
    """Return what a place is called."""
    kind = "dead letters of" if queue.endswith(".XQ") else "queue"
    return f"{kind} {queue.removesuffix('.XQ')}"


class DramatiqMigrating:
    """Migrates what waits in the Redis of one broker.

    Args:
        broker: Dramatiq's.
        migration: what is wanted.
        tell: hears how far it is.
        dry: whether everything is only counted.
    """

    def __init__(self, broker: Any, migration: Migration, *, tell: Tell, dry: bool) -> None:
        self._broker, self._client, self._space = broker, broker.client, broker.namespace
        self._migration, self._tell, self._dry = migration, tell, dry
        self._in_list = self._client.register_script(IN_LIST)
        self._in_dead = self._client.register_script(IN_DEAD)
        self._mark = f"flagstaff {uuid4()}"

    def look(self) -> list[Moved]:
        """Go through every queue once, and return what was done in each place."""
        return [self._queue(each) for each in keys(self._broker)]

    def _queue(self, queue: str) -> Moved:
        moved = Moved(place=words(queue))
        if queue.endswith(".XQ"):
            self._dead(queue, moved)
        else:
            self._list(queue, moved)
        holding = sum(each.left or each.raw is not None for _, _, each in self._all(queue))
        # In a dry run what would change is there as well.
        moved.left = max(0, holding - moved.changed) if self._dry else holding
        return moved

    def _list(self, queue: str, moved: Moved) -> None:
        key = f"{self._space}:{queue}"
        length: int = self._client.llen(key)
        passed = read = 0
        while read < length and (ids := self._client.lrange(key, passed, passed + BATCH - 1)):
            raws = self._client.hmget(f"{key}.msgs", ids)
            there = [
                (one, raw, made(raw, self._migration))
                for one, raw in zip(ids, raws, strict=True)
                if raw is not None
            ]
            own = [each for each in there if each[2].own]
            others = [each for each in there if not each[2].own]
            to = target(queue, self._migration)
            # What workers took in the meantime has moved the others to the left.
            window = (max(0, passed - BATCH), 2 * BATCH)
            moved.embedded += self._put(self._in_list, (queue, queue), window, others)
            gone = self._put(self._in_list, (queue, to), window, own)
            moved.jobs += gone
            read += len(ids)
            passed += len(ids) - (gone if to != queue and not self._dry else 0)
            self._tell(moved.place, min(read, length), length)

    def _dead(self, queue: str, moved: Moved) -> None:
        there = list(self._all(queue))
        to = target(queue, self._migration)
        for start in range(0, len(there), BATCH):
            batch = there[start : start + BATCH]
            own = [each for each in batch if each[2].own]
            others = [each for each in batch if not each[2].own]
            moved.embedded += self._put(self._in_dead, (queue, queue), (), others)
            moved.jobs += self._put(self._in_dead, (queue, to), (), own)
            self._tell(moved.place, start + len(batch), len(there))

    def _put(
        self,
        script: Any,
        way: tuple[str, str],
        window: tuple[int, ...],
        there: list[tuple[bytes, bytes, Made]],
    ) -> int:
        """Put messages in the place of what they were made of; return how many still were there."""
        changed = [(one, raw, each.raw) for one, raw, each in there if each.raw is not None]
        if self._dry or not changed:
            return len(changed)
        names = [f"{self._space}:{queue}{end}" for queue in way for end in ("", ".msgs")]
        head = (self._mark, *window) if window else ()
        done: int = script(keys=names, args=[*head, *(text for each in changed for text in each)])
        return done

    def _all(self, queue: str) -> Iterator[tuple[bytes, bytes, Made]]:
        key = f"{self._space}:{queue}.msgs"
        for one, raw in self._client.hscan_iter(key, count=BATCH):
            yield one, raw, made(raw, self._migration)
