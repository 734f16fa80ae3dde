"""A worker of one deployment (`before`, `after`), for tests; says `ready` when it takes jobs."""

from __future__ import annotations

import sys
import threading

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from kits import KITS, OLD_QUEUE, Kit
from rq import SimpleWorker


def dramatiq_worker(url, deploy):
    if deploy == "after":
        broker = KITS["dramatiq"](None, url).broker
    else:
        broker = RedisBroker(url=url)
        dramatiq.actor(print, actor_name=Kit.old, queue_name=OLD_QUEUE, broker=broker)
    dramatiq.Worker(broker).start()
    print("ready", flush=True)  # noqa: T201 the test reads it
    threading.Event().wait()


def rq_worker(url, deploy):
    client = redis.Redis.from_url(url)
    if deploy == "after":
        KITS["rq"](client, url)

    class Worker(SimpleWorker):
        def bootstrap(self, *args, **options):
            super().bootstrap(*args, **options)
            print("ready", flush=True)  # noqa: T201 the test reads it

    Worker(["shop", "integrations"], connection=client).work(logging_level="ERROR")


{"dramatiq": dramatiq_worker, "rq": rq_worker}[sys.argv[1]](*sys.argv[2:])
