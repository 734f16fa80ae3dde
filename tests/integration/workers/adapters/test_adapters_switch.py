"""Does every adapter put off and drop jobs as switches say, and lose none over it?"""

from __future__ import annotations

from collections import Counter

import pytest
from kits import KITS

from flagstaff import Client
from flagstaff.sdk.sources.memory import MemorySource
from flagstaff.workers.migration import Migration
from flagstaff.workers.verdicts import Deferral

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

SOON = Deferral(first=0.2, longest=0.4, rate=0)


@pytest.fixture(params=sorted(KITS))
def kit(request, redis, redis_server):
    made = KITS[request.param](redis, redis_server.url())
    yield made
    made.close()


@pytest.fixture
def source(kit):
    """Switches of the workers of this process."""
    source = MemorySource({})
    client = Client.memory(source)
    kit.adapter.switch(client, SOON)
    yield source
    client.close()


def found(kit, name):
    return sum(each.count for each in kit.adapter.scan(name))


def test_jobs_that_are_put_off_come_back_under_their_name_and_run_once_each(kit, source):
    for number in range(5):
        kit.publish(number)
    source.set(f"run_jobs_{kit.old}", False)
    kit.run_until(lambda: len(times := kit.put_off()) == 5 and min(times) >= 2)
    assert (kit.ran, found(kit, kit.old)) == ([], 5)
    kit.flags.on = True
    kit.publish(5)
    kit.run_until(lambda: len(kit.ran) == 1)
    assert kit.ran[0][:2] == (kit.new, 5)
    source.set(f"run_jobs_{kit.old}", True)
    kit.work(6)
    assert Counter(number for _, number, _ in kit.ran) == Counter(range(6))
    assert {name for name, number, _ in kit.ran if number < 5} == {kit.old}
    assert found(kit, kit.old) == 0


def test_jobs_that_are_dropped_are_gone_and_others_are_not(kit, source):
    source.set(f"drop_jobs_{kit.old}", True)
    kit.publish(1)
    kit.publish(2)
    kit.run_until(lambda: not found(kit, kit.old))
    assert kit.ran == []
    source.delete(f"drop_jobs_{kit.old}")
    kit.publish(3)
    kit.work(1)
    assert [number for _, number, _ in kit.ran] == [3]


def test_a_share_of_the_tries_runs_so_that_all_come_through_in_the_end(kit, source):
    source.set(f"run_jobs_{kit.old}", False)
    for number in range(10):
        kit.publish(number)
    kit.run_until(lambda: len(times := kit.put_off()) == 10 and min(times) >= 1)
    source.set(f"run_jobs_{kit.old}", True)
    kit.work(10)
    assert Counter(number for _, number, _ in kit.ran) == Counter(range(10))


def test_a_job_that_is_put_off_is_renamed_like_any_other(kit, source):
    source.set(f"run_jobs_{kit.old}", False)
    kit.publish(1)
    kit.run_until(lambda: kit.put_off() and min(kit.put_off()) >= 1)
    done = kit.adapter.migrate(Migration(old=kit.old, new=kit.new), force=True)
    assert (done.jobs, done.left) == (1, 0)
    kit.work(1)
    assert [each[:2] for each in kit.ran] == [(kit.new, 1)]
