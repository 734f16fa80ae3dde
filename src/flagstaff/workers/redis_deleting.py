"""How is a queue of Redis deleted, if nothing is in it?

A queue of Redis is there as long as something waits in it; what is left of an empty one are the
words in its exchanges. They are taken away by one script that looks into every list of the queue,
and into what was handed out and may come back.
"""

from __future__ import annotations

from typing import Any

from flagstaff.workers.redis_places import SEPARATOR, bindings, client_of, queue_lists

PRIORITIES = range(10)

DELETE = """
-- KEYS: what was handed out, then the lists of the queue, then the sets that name it.
-- ARGV: the queue, how many lists there are, then what each set holds of it.
local waiting, lists = 0, tonumber(ARGV[2])
for at = 2, lists + 1 do waiting = waiting + redis.call('LLEN', KEYS[at]) end
local held = 0
for _, raw in ipairs(redis.call('HVALS', KEYS[1])) do
  local fine, found = pcall(cjson.decode, raw)
  if not fine or found[3] == ARGV[1] then held = held + 1 end
end
if waiting + held > 0 then return {waiting, held, 0} end
local gone = 0
for at = lists + 2, #KEYS do gone = gone + redis.call('SREM', KEYS[at], ARGV[at - lists + 1]) end
return {0, 0, gone}
"""


def delete_in_redis(channel: Any, queue: str) -> tuple[bool, str]:
    """Delete a queue that is empty.

    Args:
        channel: Kombu's, of a Redis transport.
        queue: its name.

    Returns:
        Whether it was there, and why it still is.
    """
    client, prefix = client_of(channel)
    lists = {key for name, key in queue_lists(client, prefix, {queue}) if name == queue}
    lists |= {f"{prefix}{queue}", *(f"{prefix}{queue}{SEPARATOR}{each}" for each in PRIORITIES)}
    named = [(key, member) for key, member, name in bindings(client, prefix) if name == queue]
    unacked = f"{prefix}{channel.unacked_key}"
    waiting, held, gone = client.register_script(DELETE)(
        keys=[unacked, *sorted(lists), *(key for key, _ in named)],
        args=[queue, len(lists), *(member for _, member in named)],
    )
    if waiting or held:
        return True, f"{waiting} messages wait in {queue}, and {held} are handed out of it"
    return gone > 0, ""
