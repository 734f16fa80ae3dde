"""Does every adapter keep what a rename needs? On a real Redis, with the real library."""

from __future__ import annotations

import pytest
from kits import KITS, NEW_QUEUE, OLD_QUEUE

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]


@pytest.fixture(params=sorted(KITS))
def kit(request, redis, redis_server):
    made = KITS[request.param](redis, redis_server.url())
    yield made
    made.close()


def found(kit, name):
    return sum(each.count for each in kit.adapter.scan(name))


def names(kit):
    return [(name, number) for name, number, _ in sorted(kit.ran, key=lambda each: each[1])]


def test_the_flag_decides_under_which_name_and_where(kit):
    kit.publish(1)
    kit.flags.on = True
    kit.publish(2)
    assert (found(kit, kit.old), found(kit, kit.new)) == (1, 1)
    kit.work(2)
    assert sorted(kit.ran, key=lambda each: each[1]) == [
        (kit.old, 1, OLD_QUEUE),
        (kit.new, 2, NEW_QUEUE),
    ]


def test_a_job_that_is_tried_again_or_due_later_keeps_its_name(kit):
    kit.publish(1, fails=True)
    kit.publish(2, later=True)
    kit.flags.on = True
    kit.work(3)
    assert names(kit) == [(kit.old, 1), (kit.old, 1), (kit.old, 2)]
    kit.publish(3, fails=True)
    kit.publish(4, later=True)
    kit.flags.on = False
    kit.work(6)
    assert names(kit)[3:] == [(kit.new, 3), (kit.new, 3), (kit.new, 4)]
    assert {queue for name, _, queue in kit.ran if name == kit.new} == {NEW_QUEUE}


def test_a_queue_that_the_caller_names_stays(kit):
    kit.flags.on = True
    kit.publish(1, queue="other")
    assert found(kit, kit.new) == 1
    if kit.kind == "rq":
        kit.work(1)
        assert kit.ran == [(kit.new, 1, "other")]


def test_what_waits_is_found_until_it_has_run(kit):
    assert {each.state.value for each in kit.adapter.scan(kit.old)} == {"empty"}
    kit.publish(1)
    kit.publish(2, later=True)
    assert found(kit, kit.old) == 2
    assert found(kit, kit.new) == 0
    kit.work(2)
    assert {each.state.value for each in kit.adapter.scan(kit.old)} == {"empty"}


def test_what_follows_another_job_is_found(kit):
    kit.publish_after(1)
    assert sum(each.embedded for each in kit.adapter.scan(kit.old)) == 1


def test_a_job_that_nobody_knew_is_found_where_it_was_left(kit):
    kit.publish_unknown()
    kit.run_unknown()
    places = [each.place for each in kit.adapter.scan("gone.notify") if each.count]
    assert places == [{"dramatiq": "dead letters of shop", "rq": "failed"}[kit.kind]]


def test_what_cannot_be_read_is_unknown(kit):
    kit.break_one()
    doubts = [each.doubt for each in kit.adapter.scan(kit.old) if each.state.value == "unknown"]
    assert len(doubts) == 1
    assert "1 " in doubts[0]


def test_only_when_every_worker_says_that_it_knows_a_name_it_is_ready(kit):
    assert not kit.adapter.known(kit.new).ready, "nobody is there"
    kit.worker("after")
    assert kit.adapter.known(kit.new, NEW_QUEUE, expected=1).problems == ()
    assert not kit.adapter.known(kit.new, "elsewhere", expected=1).ready
    kit.worker("before")
    assert not kit.adapter.known(kit.new, NEW_QUEUE, expected=2).ready
