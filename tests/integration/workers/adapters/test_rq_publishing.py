"""Is each job of RQ decided about, however its publisher makes it, and cron no place unseen?"""

from __future__ import annotations

import pytest
from kits import RqKit
from rq import Queue
from rq.cron import CronScheduler
from rq.job import Job

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def kit(redis, redis_server):
    made = RqKit(redis, redis_server.url())
    yield made
    made.close()


def names(redis, *queues):
    return [job.func_name for queue in queues for job in Queue(queue, connection=redis).jobs]


def place(kit, name):
    return {each.place: each for each in kit.adapter.scan(name)}["cron entries"]


def test_meta_that_is_used_for_many_jobs_decides_about_none(kit, redis):
    shared = {"trace": "1"}
    kit.queue.enqueue(kit.old, 1, meta=shared)
    kit.queue.enqueue(kit.new, 2, meta=shared)
    kit.flags.on = True
    kit.queue.enqueue(kit.old, 3, meta=shared)
    assert names(redis, "shop", "integrations") == [kit.old, kit.old, kit.new]
    assert shared == {"trace": "1"}


def test_meta_of_a_job_that_publishes_another_decides_nothing(kit, redis):
    first = kit.queue.enqueue(kit.old, 1)
    first.meta["flagstaff"]["deferred"] = 3
    kit.queue.enqueue(kit.new, 2, meta=first.meta)
    other = Queue("other", connection=redis).enqueue("rq_jobs.other", 1, meta=first.meta)
    assert names(redis, "shop") == [kit.old, kit.old]
    assert "deferred" not in Queue("shop", connection=redis).jobs[1].meta["flagstaff"]
    assert "flagstaff" not in other.meta


def test_a_job_that_was_made_without_a_queue_follows_the_flag_once(kit, redis):
    kit.queue.enqueue_job(Job.create(kit.new, (1,), connection=redis))
    assert names(redis, "shop") == [kit.old]
    kit.flags.on = True
    (job,) = Queue("shop", connection=redis).jobs
    job.meta.clear()  # as one that was published before there was a rename
    job.save()
    kit.queue.enqueue_job(job)
    assert {*names(redis, "shop")} == {kit.old}


def test_entries_of_cron_are_found(kit, redis):
    assert place(kit, kit.old).state == "empty"
    cron = CronScheduler(connection=redis, name="one")
    cron.register(kit.jobs.notify, queue_name="shop", interval=60)
    cron.register_birth()
    name = f"{kit.jobs.notify.__module__}.{kit.jobs.notify.__name__}"
    assert place(kit, name).count == 1
    assert place(kit, "another").state == "empty"
    redis.hset("rq:cron_scheduler:one", "cron_jobs", "no JSON")
    assert place(kit, name).state == "unknown"
