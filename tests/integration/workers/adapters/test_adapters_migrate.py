"""Does every adapter rename what waits, wherever it does, and lose or double none over it?"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from kits import KITS, NEW_QUEUE, OLD_QUEUE

from flagstaff.errors import Conflict
from flagstaff.workers.migration import Migration

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

WAITING, KILLS = 4_000, 10


@pytest.fixture(params=sorted(KITS))
def kit(request, redis, redis_server):
    made = KITS[request.param](redis, redis_server.url())
    yield made
    made.close()


def to_new(kit, *, move=True):
    queues = {"old_queue": OLD_QUEUE, "new_queue": NEW_QUEUE} if move else {}
    return Migration(old=kit.old, new=kit.new, **queues)


def found(kit, name):
    return sum(each.count + each.embedded for each in kit.adapter.scan(name))


def everything(redis):
    read = {
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"hash": redis.hgetall,
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
    }
    keys = [key for key in redis.scan_iter() if b"heartbeat" not in key]
    return {key: read[redis.type(key)](key) for key in keys if redis.type(key) in read}


@pytest.mark.parametrize("move", [True, False])
def test_what_waits_gets_the_new_name_wherever_it_is_and_runs_once(kit, move):
    kit.publish(1)
    kit.publish(2, later=7200)
    kit.publish(3, queue="other")
    kit.publish(4, fails=True)
    done = kit.adapter.migrate(to_new(kit, move=move), force=True)
    assert (done.jobs, done.left, done.settled) == (4, 0, True)
    assert (found(kit, kit.old), found(kit, kit.new)) == (0, 4)
    assert kit.adapter.migrate(to_new(kit, move=move), force=True).jobs == 0
    kit.make_due()
    kit.work(5)
    assert {name for name, _, _ in kit.ran} == {kit.new}
    assert Counter(number for _, number, _ in kit.ran) == {1: 1, 2: 1, 3: 1, 4: 2}
    queues = {number: queue for _, number, queue in kit.ran}
    assert queues[3] == "other"
    assert queues[1] == (NEW_QUEUE if move else OLD_QUEUE)
    # What comes again is published by a worker, in the queue of its name.
    assert {queues[2], queues[4]} <= {NEW_QUEUE, queues[1]}


def test_what_follows_another_job_gets_the_new_name(kit):
    kit.publish_after(1)
    assert kit.adapter.migrate(to_new(kit), force=True).to_json()["embedded"] == 1
    assert (found(kit, kit.old), found(kit, kit.new)) == (0, 1)


def test_jobs_keep_their_order_and_others_are_left_alone(kit):
    for number in range(1_200):
        if number % 3:
            kit.publish(number)
        else:
            kit.publish_unknown()
    assert kit.adapter.migrate(to_new(kit), force=True).jobs == 800
    assert (found(kit, "gone.notify"), found(kit, kit.old)) == (400, 0)
    assert kit.waiting(NEW_QUEUE) == [(n, kit.new) for n in range(1_200) if n % 3]
    assert kit.waiting(OLD_QUEUE) == [(1, "gone.notify")] * 400


def test_a_job_that_failed_is_renamed_where_it_is_and_can_be_tried_again(kit):
    kit.publish_unknown()
    kit.run_unknown()
    gone = Migration(old="gone.notify", new=kit.new, old_queue=OLD_QUEUE, new_queue=NEW_QUEUE)
    assert kit.adapter.migrate(gone, force=True).jobs == 1
    assert (found(kit, "gone.notify"), found(kit, kit.new)) == (0, 1)
    kit.revive()
    kit.work(1)
    assert kit.ran == [(kit.new, 1, NEW_QUEUE)]


def test_a_dry_run_counts_and_changes_nothing(kit, redis):
    kit.publish(1)
    kit.publish(2, later=True)
    kit.publish_after(3)
    before = everything(redis)
    done = kit.adapter.migrate(to_new(kit), dry=True)
    assert (done.jobs, done.to_json()["embedded"], done.left) == (2, 1, 0)
    assert everything(redis) == before


def test_nothing_is_renamed_that_workers_would_not_run(kit):
    kit.publish(1)
    with pytest.raises(Conflict, match="no worker is there"):
        kit.adapter.migrate(to_new(kit), workers=1)
    assert (found(kit, kit.old), kit.length(NEW_QUEUE)) == (1, 0)
    kit.work(1)
    kit.worker("after")
    assert kit.adapter.migrate(to_new(kit), workers=1).complete
    with pytest.raises(Conflict, match="1 of 2 expected"):
        kit.adapter.migrate(to_new(kit), workers=2)


def test_what_a_worker_has_is_left_until_it_is_given_back(kit):
    kit.publish(1)
    give_back = kit.take_one()
    done = kit.adapter.migrate(to_new(kit), force=True)
    assert (done.jobs, done.left, done.complete) == (0, 1, False)
    assert found(kit, kit.old) == 1
    give_back()
    done = kit.adapter.migrate(to_new(kit), force=True)
    assert (done.jobs, done.left, done.complete) == (1, 0, True)
    kit.work(1)
    assert kit.ran == [(kit.new, 1, NEW_QUEUE)]


def test_what_cannot_be_read_is_left_and_said(kit):
    kit.break_one()
    done = kit.adapter.migrate(to_new(kit), force=True)
    assert (done.jobs, done.left, done.complete) == (0, 1, False)


def test_killed_ten_times_on_the_way_none_is_lost_and_none_doubled(kit):
    kit.fill(WAITING)
    program = [sys.executable, Path(__file__).parent / "migrating.py", kit.kind, kit.url]
    for _ in range(KILLS):
        process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        try:
            # It goes on for some batches, and then waits to be killed.
            assert process.stdout.readline().startswith("at ")
            kit.take_waiting(50)
        finally:
            process.kill()
            assert process.wait(60) == -signal.SIGKILL, "it had ended before it was killed"
            process.stdout.close()
    assert found(kit, kit.old), "nothing was left for the last run"
    assert kit.adapter.migrate(to_new(kit), force=True).left == 0
    assert (found(kit, kit.old), kit.length(OLD_QUEUE)) == (0, 0)
    there = [*kit.taken, *kit.waiting(NEW_QUEUE)]
    assert Counter(number for number, _ in there) == Counter(range(WAITING))
    assert Counter(name for _, name in there)[kit.new] > WAITING / 2
