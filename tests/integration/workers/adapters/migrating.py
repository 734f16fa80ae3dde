"""A migration that says how far it is, goes on for a little, and then waits to be killed."""

from __future__ import annotations

import sys
import threading

import redis
from kits import KITS, NEW_QUEUE, OLD_QUEUE

from flagstaff.workers.adapters import dramatiq_migrating, rq_migrating
from flagstaff.workers.migration import Migration

BATCH, BATCHES = 100, 2

told = 0


def tell(place, read, length):
    del length
    global told  # noqa: PLW0603 - one program, one count
    told += 1
    print(f"at {read} of {place}", flush=True)  # noqa: T201 the test reads it
    if told > BATCHES:
        threading.Event().wait()


dramatiq_migrating.BATCH = rq_migrating.BATCH = BATCH
kind, url = sys.argv[1:]
kit = KITS[kind](redis.Redis.from_url(url), url)
migration = Migration(old=kit.old, new=kit.new, old_queue=OLD_QUEUE, new_queue=NEW_QUEUE)
kit.adapter.migrate(migration, force=True, tell=tell)
