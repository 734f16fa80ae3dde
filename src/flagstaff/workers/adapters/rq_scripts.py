"""With which scripts do jobs of RQ change, each as a whole or not at all?"""

from __future__ import annotations

_CHANGE = """
local FIELDS = {'data', 'success_callback_name', 'failure_callback_name', 'stopped_callback_name'}
-- Whether a job is as it was: its status, and the four fields that begin at a place in ARGV.
local function is(job, status, at)
  if redis.call('HGET', job, 'status') ~= status then return false end
  for number, field in ipairs(FIELDS) do
    if (redis.call('HGET', job, field) or '') ~= ARGV[at + number - 1] then return false end
  end
  return true
end
local function change(job, at)
  for number, field in ipairs(FIELDS) do
    local new = ARGV[at + #FIELDS + number - 1]
    if new ~= ARGV[at + number - 1] then redis.call('HSET', job, field, new) end
  end
end
"""

IN_LIST = (
    _CHANGE
    + """
-- KEYS: the list that ids are in, that they go to, and the set of queues. ARGV: a mark that no id
-- is; how many on the left are passed by; how many are looked at; what keys of jobs begin with; the
-- queue that they go to; then each id, with the fields as they were and as they are to be.
local made = {}
for at = 6, #ARGV, 1 + 2 * #FIELDS do made[ARGV[at]] = at + 1 end
local first = tonumber(ARGV[2])
local there = redis.call('LRANGE', KEYS[1], first, first + tonumber(ARGV[3]) - 1)
local done, marked = 0, 0
for place, id in ipairs(there) do
  local at, job = made[id], ARGV[4] .. id
  if at and is(job, 'queued', at) then
    -- Adding comes first: a Redis that is full refuses it, and then nothing has changed.
    if KEYS[1] ~= KEYS[2] then
      redis.call('SADD', KEYS[3], KEYS[2])
      redis.call('RPUSH', KEYS[2], id)
      redis.call('HSET', job, 'origin', ARGV[5])
      redis.call('LSET', KEYS[1], first + place - 1, ARGV[1])
      marked = marked + 1
    end
    change(job, at)
    made[id] = nil
    done = done + 1
  end
end
if marked > 0 then redis.call('LREM', KEYS[1], marked, ARGV[1]) end
return done
"""
)

IN_HASH = (
    _CHANGE
    + """
-- KEYS: the set of queues. ARGV: what keys of jobs and of queues begin with; their status; then for
-- each its id, the sorted set that it is in and that it goes to, its queue before and then, and its
-- fields as above.
local SOON = 60
local function follow(job, id)
  -- Who ends a job that this one waits for reads it first, and begins anew when this set changes.
  local raw = redis.call('HGET', job, 'dependency_ids')
  for _, each in ipairs(raw and cjson.decode(raw) or {}) do
    local set = ARGV[1] .. each .. ':dependents'
    if redis.call('SREM', set, id) == 1 then redis.call('SADD', set, id) end
  end
end
local now, done = tonumber(redis.call('TIME')[1]), 0
for start = 4, #ARGV, 5 + 2 * #FIELDS do
  local id, here, there, at = ARGV[start], ARGV[start + 1], ARGV[start + 2], start + 5
  local job, from, to = ARGV[1] .. id, ARGV[start + 3], ARGV[start + 4]
  local may = is(job, ARGV[3], at) and (redis.call('HGET', job, 'origin') or '') == from
  local score = false
  if may and from ~= to and here ~= '' then
    score = redis.call('ZSCORE', here, id)
    -- A scheduler that has read what is due puts it into a queue, wherever it is by then.
    may = score and (ARGV[3] ~= 'scheduled' or tonumber(score) > now + SOON)
  end
  if may then
    if from ~= to then
      redis.call('SADD', KEYS[1], ARGV[2] .. to)
      redis.call('HSET', job, 'origin', to)
      if score then
        redis.call('ZADD', there, score, id)
        redis.call('ZREM', here, id)
      end
    end
    change(job, at)
    if ARGV[3] == 'deferred' then follow(job, id) end
    done = done + 1
  end
end
return done
"""
)
