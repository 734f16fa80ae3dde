"""Does a worker of Dramatiq go on saying what it knows when Redis was away?"""

from __future__ import annotations

import json
import threading

import dramatiq
from dramatiq.brokers.stub import StubBroker
from redis.exceptions import ConnectionError as Away

from flagstaff.workers.adapters import dramatiq as adapter


class Redis:
    """Keeps what is said, but is away for a while."""

    def __init__(self, away):
        self.away, self.told = away, {}
        self.heard = threading.Event()

    def hset(self, _key, node, text):
        self.away -= 1
        if self.away >= 0:
            raise Away
        self.told[node] = json.loads(text)
        self.heard.set()

    def hdel(self, _key, node):
        self.told.pop(node, None)


def test_a_worker_says_it_again_after_redis_was_away(monkeypatch):
    monkeypatch.setattr(adapter, "COUNTS_FOR", 0.04)
    broker = StubBroker()
    broker.client = redis = Redis(away=3)
    dramatiq.actor(lambda: None, actor_name="shop.notify", broker=broker)
    adapter.DramatiqAdapter(broker)
    worker = dramatiq.Worker(broker, worker_timeout=10, worker_threads=1)
    worker.start()
    try:
        assert redis.heard.wait(60)
        (said,) = redis.told.values()
        assert said["names"] == ["shop.notify"]
    finally:
        worker.stop()
    assert redis.told == {}
