"""Are real jobs put off, dropped and let through as switches say, and is none lost over it?"""

from __future__ import annotations

import pytest
from fleet import until
from watched import Watched

from guarded import flagstaff

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

JOB, OLD, NEW = "shop.add", "shop.notify", "integrations.notify"


@pytest.fixture
def watched(tmp_path, redis, redis_server):
    assert redis.dbsize() == 0
    found = Watched(tmp_path, redis_server.url(), redis_server.url(1))
    yield found
    found.close()


def say(watched, *words):
    flagstaff(watched.root, "workers", *words)


def row(watched, task=JOB, queue="shop"):
    return watched.rows().get((task, queue), {})


def put_off(known):
    return known["action"] == "deferred"


def dropped(known):
    return known["action"] == "dropped"


def may_run(known):
    return known["action"] is None


def numbers(watched, name):
    return sorted(each["number"] for each in watched.ran(name))


@pytest.mark.parametrize("late", [0, 1])
def test_jobs_that_are_put_off_come_back_and_run_once_each(watched, late):
    watched.worker("one", "after", "shop", concurrency=2, late=late, defer="0.5", rate=0)
    watched.produce("jobs.add.delay(0)")
    until(lambda: numbers(watched, JOB) == [0])
    say(watched, "defer", JOB)
    watched.heard(JOB, put_off, children=2)
    watched.produce("for n in range(1, 41): jobs.add.delay(n)")
    until(lambda: row(watched).get("deferred", 0) >= 80)
    assert numbers(watched, JOB) == [0]
    say(watched, "run", JOB)
    until(lambda: numbers(watched, JOB) == list(range(41)))
    until(lambda: row(watched)["succeeded"] == 41)
    until(lambda: (told := row(watched))["enqueued"] == 41 + told["deferred"])
    assert row(watched)["started"] == 41


def test_jobs_that_are_dropped_are_gone_and_others_are_not(watched):
    watched.worker("one", "after", "shop")
    say(watched, "drop", JOB)
    watched.heard(JOB, dropped)
    watched.produce("for n in range(20): jobs.add.delay(n)\njobs.notify.delay(1)")
    until(lambda: row(watched).get("dropped") == 20)
    until(lambda: numbers(watched, OLD) == [1])
    assert numbers(watched, JOB) == []
    say(watched, "run", JOB)
    watched.heard(JOB, may_run)
    watched.produce("jobs.add.delay(99)")
    until(lambda: numbers(watched, JOB) == [99])


def test_a_share_of_the_tries_runs_so_that_all_come_through_in_the_end(watched):
    say(watched, "run", JOB, "--percentage", "30")
    watched.worker("one", "after", "shop", concurrency=2, defer="0.1", rate=0)
    watched.heard(JOB, lambda known: known["has"], children=2)
    watched.produce("for n in range(60): jobs.add.delay(n)")
    until(lambda: numbers(watched, JOB) == list(range(60)))
    until(lambda: row(watched).get("succeeded") == 60)
    assert row(watched)["deferred"] > 60, "about 140, for two of three tries are put off"


def test_what_was_put_off_comes_back_at_a_rate(watched):
    say(watched, "defer", JOB)
    watched.worker("one", "after", "shop", defer="0.2", rate=5)
    watched.heard(JOB, put_off)
    watched.produce("for n in range(30): jobs.add.delay(n)")
    until(lambda: row(watched).get("deferred", 0) >= 60)
    say(watched, "run", JOB)
    until(lambda: numbers(watched, JOB) == list(range(30)))
    times = sorted(each["at"] for each in watched.ran(JOB))
    assert times[-1] - times[0] > 3.5, "thirty at five a second, after a burst of five"


def test_a_job_that_is_put_off_keeps_its_name(watched):
    say(watched, "defer", OLD)
    watched.worker("one", "after", "shop,integrations", defer="0.3", rate=0)
    watched.heard(OLD, put_off)
    watched.produce("for n in (1, 2, 3): jobs.notify.delay(n)")
    until(lambda: row(watched, OLD).get("deferred", 0) >= 3)
    flagstaff(watched.root, "feature", "set", "rename_notify", "true")
    watched.produce("jobs.wait_on()\njobs.notify.delay(4)")
    until(lambda: numbers(watched, NEW) == [4])
    say(watched, "run", OLD)
    until(lambda: numbers(watched, OLD) == [1, 2, 3])
