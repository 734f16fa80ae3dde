"""How do jobs that wait in Redis change their name and their queue, with none lost or doubled?

Messages are read and rewritten here, some hundred at a time; a script then puts each in the place
of what it was made of, if that is still there. Redis runs a script as a whole or not at all, so
that whoever is killed has done some batches and not the others. A worker that takes a message in
between has it, and the script passes it by.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

from flagstaff.workers.messages import NOTHING, decoded
from flagstaff.workers.migrated import Moved, Tell
from flagstaff.workers.migration import Migration
from flagstaff.workers.redis_layout import Binding, Layout, queues_for
from flagstaff.workers.redis_places import in_unacked
from flagstaff.workers.rewriting import Rewrite, rewrite

BATCH = 500
"""Messages that one script looks at: it keeps others waiting for some milliseconds."""

IN_LISTS = """
-- KEYS: the list, and the one that messages go to; the same when they stay.
-- ARGV: a mark that no message is; how many on the right are passed by; how many are looked at;
-- then each message as it was and as it is to be.
local made = {}
for at = 4, #ARGV, 2 do made[ARGV[at]] = ARGV[at + 1] end
local length = redis.call('LLEN', KEYS[1])
local last = length - 1 - tonumber(ARGV[2])
if last < 0 then return 0 end
local first = math.max(0, last - tonumber(ARGV[3]) + 1)
local there = redis.call('LRANGE', KEYS[1], first, last)
local done, marked, right = 0, 0, length - 1
for at = #there, 1, -1 do  -- the oldest first
  local new, place = made[there[at]], first + at - 1
  if new then
    if KEYS[1] == KEYS[2] then
      redis.call('LSET', KEYS[1], place, new)
    else
      -- Adding comes first: a Redis that is full refuses it, and then nothing has changed.
      redis.call('LPUSH', KEYS[2], new)
      if place == right then
        redis.call('RPOP', KEYS[1])
        right = right - 1
      else
        redis.call('LSET', KEYS[1], place, ARGV[1])
        marked = marked + 1
      end
    end
    done = done + 1
  end
end
if marked > 0 then redis.call('LREM', KEYS[1], -marked, ARGV[1]) end
return done
"""

IN_HASH = """
local done = 0
for at = 1, #ARGV, 3 do
  if redis.call('HGET', KEYS[1], ARGV[at]) == ARGV[at + 1] then
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 2])
    done = done + 1
  end
end
return done
"""


class RedisMigrating:
    """Migrates what waits in one Redis.

    Args:
        channel: Kombu's, of a Redis transport.
        migration: what is wanted.
        queues: besides those that the broker names.
        tell: hears how far it is.
        dry: whether everything is only counted.
    """

    def __init__(
        self, channel: Any, migration: Migration, queues: Iterable[str], *, tell: Tell, dry: bool
    ) -> None:
        self._layout = Layout.of(channel)
        self._layout.check(migration.old_queue, migration.new_queue)
        self._client = self._layout.client
        self._migration, self._queues, self._tell, self._dry = migration, {*queues}, tell, dry
        self._in_lists = self._client.register_script(IN_LISTS)
        self._in_hash = self._client.register_script(IN_HASH)
        self._mark = f"flagstaff {uuid4()}"

    def look(self) -> list[Moved]:
        """Go through everything once, and return what was done in each place.

        Lists come first, then what is handed out: the way that jobs go.
        """
        known = {*self._queues, *self._layout.bound()}
        found: dict[str, Moved] = {}
        for queue, key in sorted(self._layout.queue_lists(known)):
            moved = found.setdefault(queue, Moved(place=f"queue {queue}"))
            self._list(queue, key, moved)
        return [*found.values(), self._handed_out(), *self._strange()]

    def _strange(self) -> Iterator[Moved]:
        """Return what others handed out: where it comes back to, only they know."""
        for key in self._layout.strange_hashes():
            holds = NOTHING
            for _, raw in self._client.hscan_iter(key, count=BATCH):
                holds += in_unacked(raw, self._migration.old)
            yield Moved(
                place=f"unacked in {key}",
                left=holds.own + holds.embedded + holds.unreadable,
                doubt="another `unacked_key` or `global_keyprefix` than the application's: --app",
            )

    def _list(self, queue: str, key: str, moved: Moved) -> None:
        length: int = self._client.llen(key)
        passed = read = 0
        while read < length:
            raws = self._client.lrange(key, -passed - BATCH, -passed - 1)
            if not raws:
                return
            made = [(raw, _made(raw, self._migration, queue)) for raw in raws]
            own = [(raw, each) for raw, each in made if each.own]
            others = [(raw, each) for raw, each in made if not each.own]
            target = self._target(queue, key)
            moved.embedded += self._put(key, key, passed, others)
            gone = self._put(key, target, passed, own)
            moved.jobs += gone
            moved.left += sum(each.left for _, each in made)
            read += len(raws)
            passed += len(raws) - (gone if target != key and not self._dry else 0)
            self._tell(moved.place, min(read, length), length)

    def _put(self, key: str, target: str, passed: int, made: list[tuple[bytes, Rewrite]]) -> int:
        """Put messages in the place of what they were made of; return how many still were there."""
        changed = {raw: each.message for raw, each in made if each.message is not None}
        if self._dry or not changed:
            return sum(each.message is not None for _, each in made)
        pairs = [text for raw, new in changed.items() for text in (raw, json.dumps(new))]
        # What workers took in the meantime has moved the others to the right.
        window = (max(0, passed - BATCH), 2 * BATCH)
        done: int = self._in_lists(keys=[key, target], args=[self._mark, *window, *pairs])
        return done

    def _target(self, queue: str, key: str) -> str:
        prefix = self._layout.prefix
        priority = key.removeprefix(prefix + queue)
        return prefix + self._migration.target(queue) + priority

    def _handed_out(self) -> Moved:
        """Rewrite what comes back if the worker that has it ends, or does not answer in time."""
        moved, read = Moved(place="unacked"), 0
        bindings = [*self._layout.bindings()]
        length: int = self._client.hlen(self._layout.unacked)
        batch: list[bytes | str] = []
        for tag, raw in self._client.hscan_iter(self._layout.unacked, count=BATCH):
            read += 1
            new, each = self._restored(raw, bindings)
            moved.left += each.left
            if new:
                batch += (tag, raw, new)
                moved.embedded += not each.own
                moved.jobs += each.own
        for start in range(0, 0 if self._dry else len(batch), 3 * BATCH):
            self._in_hash(keys=[self._layout.unacked], args=batch[start : start + 3 * BATCH])
        if length:
            self._tell(moved.place, min(read, length), length)
        return moved

    def _restored(self, raw: bytes, bindings: list[Binding]) -> tuple[str, Rewrite]:
        """Return a message that was handed out, with where it goes when it comes back."""
        try:
            message, exchange, key = decoded(raw)
            queues = queues_for(bindings, exchange, key)
        except (ValueError, TypeError):
            return "", Rewrite(left=True)
        queue = min(queues, default=str(key))
        made = rewrite(message, self._migration, queue)
        old_queue = self._migration.old_queue
        if made.own and old_queue and len(queues) != 1 and (not queues or old_queue in queues):
            return "", Rewrite(own=True, left=True)  # it may come back into the old queue
        if made.message is None:
            return "", made
        target = self._migration.target(queue) if made.own else queue
        where = (exchange, key) if target == queue else ("", target)
        return json.dumps([made.message, *where]), made


def _made(raw: bytes, migration: Migration, queue: str) -> Rewrite:
    try:
        return rewrite(decoded(raw), migration, queue)
    except ValueError:
        return Rewrite(left=True)
