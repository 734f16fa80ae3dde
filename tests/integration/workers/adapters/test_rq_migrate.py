"""Is a job of RQ that waits for others, or is about to be due, renamed and run just once?"""

from __future__ import annotations

from collections import Counter

import pytest
from kits import NEW_QUEUE, OLD_QUEUE, RqKit
from redis.exceptions import WatchError
from rq import Queue
from rq.job import JobStatus
from rq.registry import DeferredJobRegistry, ScheduledJobRegistry

from flagstaff.workers.migration import Migration

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

MIGRATION = Migration(old=RqKit.old, new=RqKit.new, old_queue=OLD_QUEUE, new_queue=NEW_QUEUE)


@pytest.fixture
def kit(redis, redis_server):
    made = RqKit(redis, redis_server.url())
    yield made
    made.close()


def test_a_job_that_waits_for_others_moves_and_runs_once_they_have(kit, redis):
    first = Queue("other", connection=redis).enqueue("rq_jobs.notify", 1)
    kit.queue.enqueue(kit.jobs.notify, 2, depends_on=first)
    done = kit.adapter.migrate(MIGRATION, force=True)
    moved = {each.place: each.jobs for each in done.places}
    assert moved == {"queues": 1, "waiting for other jobs": 1}
    assert DeferredJobRegistry(OLD_QUEUE, connection=redis).get_job_ids() == []
    assert len(DeferredJobRegistry(NEW_QUEUE, connection=redis).get_job_ids()) == 1
    kit.work(2)
    assert Counter(kit.ran) == Counter([(kit.new, 1, "other"), (kit.new, 2, NEW_QUEUE)])


def test_who_has_read_what_waits_for_a_job_reads_it_again_when_it_moves(kit, redis):
    first = Queue("other", connection=redis).enqueue("rq_jobs.notify", 1)
    kit.queue.enqueue(kit.jobs.notify, 2, depends_on=first)
    with redis.pipeline() as worker:
        worker.watch(first.dependents_key)  # as a worker does that ends the first
        kit.adapter.migrate(MIGRATION, force=True)
        worker.multi()
        worker.set("ended", 1)
        with pytest.raises(WatchError):
            worker.execute()


def test_what_is_due_at_once_is_left_to_the_scheduler(kit, redis):
    kit.publish(1, later=30)
    kit.publish(2, later=7200)
    done = kit.adapter.migrate(MIGRATION, force=True)
    assert (done.jobs, done.left, done.complete) == (1, 1, False)
    assert len(ScheduledJobRegistry(OLD_QUEUE, connection=redis).get_job_ids()) == 1
    stays = Migration(old=RqKit.old, new=RqKit.new)
    assert kit.adapter.migrate(stays, force=True).complete
    kit.make_due()
    kit.work(2)
    assert Counter(name for name, _, _ in kit.ran) == {kit.new: 2}


def test_what_is_over_is_no_concern(kit, redis):
    kit.publish(1)
    kit.work(1)
    kit.publish(2)
    kit.queue.fetch_job(kit.queue.job_ids[0]).cancel()
    assert kit.adapter.migrate(MIGRATION, force=True).places == ()
    statuses = {redis.hget(key, "status") for key in redis.scan_iter("rq:job:*", _type="HASH")}
    assert statuses == {JobStatus.FINISHED.value.encode(), JobStatus.CANCELED.value.encode()}
