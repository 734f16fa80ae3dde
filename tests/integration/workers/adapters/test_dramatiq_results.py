"""Does who waits for a result of Dramatiq get it, whatever happens to the name of its message?"""

from __future__ import annotations

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import ResultMissing, Results
from dramatiq.results.backends import RedisBackend
from fleet import until
from kits import NEW_QUEUE, OLD_QUEUE, Flags, Kit

from flagstaff import Client
from flagstaff.sdk.sources.memory import MemorySource
from flagstaff.workers.adapters.dramatiq import DramatiqAdapter
from flagstaff.workers.migration import Migration
from flagstaff.workers.rename import Rename
from flagstaff.workers.verdicts import Deferral

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

RENAME = Rename(
    flag="rename_notify", old=Kit.old, new=Kit.new, old_queue=OLD_QUEUE, new_queue=NEW_QUEUE
)


class System:
    """One broker with results, whose actor `add` is being renamed."""

    def __init__(self, client, url):
        self.flags, self.ran = Flags(), []
        self.broker = RedisBroker(url=url)
        self.results = RedisBackend(client=client)
        self.broker.add_middleware(Results(backend=self.results, store_results=True))
        system = self

        def add(one, other):
            system.ran.append((one, other))
            return one + other

        self.actor = dramatiq.actor(
            add, actor_name=Kit.old, queue_name=OLD_QUEUE, broker=self.broker
        )
        self.adapter = DramatiqAdapter(self.broker)
        self.adapter.declare(RENAME, self.flags)

    def result(self, message):
        """Let workers run, and return what the message comes to."""
        worker = dramatiq.Worker(self.broker, worker_timeout=50, worker_threads=2)
        worker.start()
        try:
            return message.get_result(backend=self.results, block=True, timeout=60_000)
        finally:
            worker.stop()

    def close(self):
        self.broker.close()
        self.broker.client.connection_pool.disconnect()


@pytest.fixture
def system(redis, redis_server):
    made = System(redis, redis_server.url())
    yield made
    made.close()


def test_a_message_that_is_published_under_its_new_name_answers_who_asked_under_the_old(system):
    system.flags.on = True
    asked = system.actor.message(1, 2)
    published = system.broker.enqueue(asked)
    assert published.actor_name == Kit.new
    assert system.result(asked) == system.result(published) == 3


def test_a_pipeline_answers(system):
    system.flags.on = True
    pipeline = dramatiq.pipeline(
        [system.actor.message(1, 2), system.actor.message(10)], broker=system.broker
    ).run()
    assert system.result(pipeline.messages[-1]) == 13


def test_a_message_that_is_migrated_answers_who_waits_for_it(system):
    waiting = system.actor.send(2, 3)
    migration = Migration(old=Kit.old, new=Kit.new, old_queue=OLD_QUEUE, new_queue=NEW_QUEUE)
    assert system.adapter.migrate(migration, force=True).jobs == 1
    assert system.result(waiting) == 5


def test_a_message_that_is_put_off_answers_once_it_has_run(system, redis):
    source = MemorySource({f"run_jobs_{Kit.old}": False})
    client = Client.memory(source)
    system.adapter.switch(client, Deferral(first=0.1, longest=0.2, rate=0))
    waiting = system.actor.send(3, 4)
    worker = dramatiq.Worker(system.broker, worker_timeout=50, worker_threads=2)
    worker.start()
    try:
        until(lambda: b'"deferred":3' in b"".join(redis.hvals("dramatiq:shop.DQ.msgs")))
        with pytest.raises(ResultMissing):
            waiting.get_result(backend=system.results)
        assert system.ran == []
    finally:
        worker.stop()
    source.set(f"run_jobs_{Kit.old}", True)
    assert system.result(waiting) == 7
    client.close()
