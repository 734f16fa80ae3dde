"""How is a queue of Redis deleted, if nothing is in it?

A queue of Redis is there as long as something waits in it; what is left of an empty one are the
words in its exchanges. They are taken away by one script that looks into every list of the queue,
and into what was handed out and may come back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flagstaff.workers.messages import decoded
from flagstaff.workers.redis_layout import BINDING, PERMANENT, Layout, queues_for

DELETE = """
-- KEYS: what was handed out, then the lists of the queue, then the sets that name it.
-- ARGV: how many lists there are, then what each set holds of it, then the exchanges and routing
-- keys of what was handed out of other queues: whatever else was is, or may be, of this one.
local waiting, lists = 0, tonumber(ARGV[1])
for at = 2, lists + 1 do waiting = waiting + redis.call('LLEN', KEYS[at]) end
local others, sets = {}, #KEYS - lists - 1
for at = sets + 2, #ARGV do others[ARGV[at]] = true end
local held = 0
for _, raw in ipairs(redis.call('HVALS', KEYS[1])) do
  local fine, where = pcall(function()
    local found = cjson.decode(raw)
    return #found[2] .. ' ' .. found[2] .. found[3]
  end)
  if not fine or not others[where] then held = held + 1 end
end
if waiting + held > 0 then return {waiting, held, 0} end
local gone = 0
for at = 1, sets do gone = gone + redis.call('SREM', KEYS[lists + 1 + at], ARGV[at + 1]) end
return {0, 0, gone}
"""


def delete_in_redis(channel: Any, queue: str) -> tuple[bool, str]:
    """Delete a queue that is empty.

    Args:
        channel: Kombu's, of a Redis transport.
        queue: its name.

    Returns:
        Whether it was there, and why it still is.

    Raises:
        UsageError: it is kept in another way than the application's options say.
    """
    layout = Layout.of(channel)
    layout.check(queue)
    lists = {key for name, key in layout.queue_lists({queue}) if name == queue}
    lists |= layout.lists_of(queue)
    named = [
        (f"{layout.prefix}{start}{each.exchange}", each.member)
        for each in layout.bindings()
        if each.queue == queue
        for start in (BINDING, PERMANENT)
    ]
    if key := _held_strangely(layout, queue):
        return True, f"{key} has what was handed out of {queue}, and is no `unacked_key` of --app"
    others = _of_others(layout, queue)
    waiting, held, gone = layout.client.register_script(DELETE)(
        keys=[layout.unacked, *sorted(lists), *(key for key, _ in named)],
        args=[len(lists), *(member for _, member in named), *others],
    )
    if waiting or held:
        return True, f"{waiting} messages wait in {queue}, and {held} are handed out of it"
    return gone > 0, ""


def _of_others(layout: Layout, queue: str) -> set[bytes]:
    """Return the exchanges and routing keys of what was handed out, and comes back elsewhere."""
    return {where for where, queues in _handed_out(layout, layout.unacked) if queue not in queues}


def _held_strangely(layout: Layout, queue: str) -> str:
    """Return where else something is that was handed out and may come back into the queue."""
    for key in layout.strange_hashes():
        if any(queue in queues for _, queues in _handed_out(layout, key)):
            return key
    return ""


def _handed_out(layout: Layout, key: str) -> Iterator[tuple[bytes, set[str]]]:
    """Return the exchange and routing key of what is in a hash, with the queues if it has some."""
    bindings = [*layout.bindings()]
    for _, raw in layout.client.hscan_iter(key):
        try:
            _, exchange, routing_key = decoded(raw)
            queues = queues_for(bindings, exchange, routing_key)
            name = exchange.encode()
            where = b"%d %b%b" % (len(name), name, routing_key.encode())
        except (ValueError, TypeError, AttributeError):
            continue
        if queues:
            yield where, queues
