"""Does a rolling deploy with a rename lose no job, and is it said when the rename may begin?"""

from __future__ import annotations

import signal
import threading

import pytest
from celery import chain, chord
from fleet import flagstaff, heard, until

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

OLD, NEW = "shop.notify", "integrations.notify"


class Producer(threading.Thread):
    """Publishes jobs of several kinds until told to stop; slower than any worker runs them."""

    def __init__(self, jobs):
        super().__init__()
        self._jobs, self.count = jobs, 0
        self._stop_now = threading.Event()

    def run(self):
        while not self._stop_now.wait(0.03):
            self.count += 1
            options = [{}, {"countdown": 0.3}, {"priority": 6}][self.count % 3]
            fail = int(self.count % 7 == 0)
            self._jobs.notify.apply_async((self.count, fail), **options)

    def stop(self):
        self._stop_now.set()
        self.join(120)
        return self.count


def test_a_rolling_deploy_and_the_flag_both_ways_lose_no_job(fleet):
    jobs = fleet.jobs("after")
    broker = ("--broker", fleet.broker)
    for node in ("one", "two"):
        fleet.worker(node, "before", "shop")
    producer = Producer(jobs)
    producer.start()
    until(lambda: producer.count > 50)

    fleet.worker("three", "after", "shop,integrations")
    code, told = heard("ready", NEW, *broker)
    assert code == 1
    assert {each["node"]: each["knows"] for each in told["workers"]} == {
        "one@test": False,
        "two@test": False,
        "three@test": True,
    }
    fleet.stop("one")
    fleet.worker("four", "after", "shop,integrations")
    fleet.stop("two")
    code, told = heard("ready", NEW, *broker, "--queue", "integrations", "--workers", "2")
    assert (code, told["problems"]) == (0, [])

    for on in (True, False, True):
        fleet.flag(on=on)
        reached = producer.count
        until(lambda reached=reached: producer.count > reached + 60)
    published = producer.stop()
    assert published > 200
    wanted = set(range(1, published + 1))
    until(lambda: {each["number"] for each in ended(fleet)} == wanted)
    assert len(ended(fleet)) == published, "and none was doubled"
    assert len(fleet.ran(OLD)) > 50 < len(fleet.ran(NEW))

    code, told = heard("drained", OLD, *broker, "--stable", "2s")
    assert (code, [each for each in told["places"] if each["state"] != "empty"]) == (0, [])


@pytest.mark.parametrize("broker", ["fleet", "rabbit_fleet"])
def test_what_the_deployment_to_come_lets_follow_runs_in_workers_of_the_one_before(broker, request):
    fleet = request.getfixturevalue(broker)
    jobs = fleet.jobs("after")
    fleet.worker("one", "before", "shop")
    new = jobs.app.tasks[NEW]
    chain(jobs.collect.si([0]), new.si(1), new.si(2)).delay()
    jobs.collect.apply_async(([0],), link=new.si(3))
    chord([new.si(4), new.si(5)], jobs.collect.s())()
    chord([jobs.collect.si([0])], new.si(6))()
    until(lambda: {each["number"] for each in fleet.ran(OLD)} == set(range(1, 7)))
    assert fleet.ran(NEW) == []


def ended(fleet):
    """The last try of each job."""
    return [
        each
        for each in fleet.ran(OLD) + fleet.ran(NEW)
        if each["try"] == int(each["number"] % 7 == 0)
    ]


def test_a_worker_that_does_not_answer_is_not_ready(fleet):
    fleet.worker("one", "after", "shop,integrations")
    silent = fleet.worker("two", "after", "shop,integrations")
    broker = ("--broker", fleet.broker, "--timeout", "1s")
    assert heard("ready", NEW, *broker)[0] == 0
    silent.send_signal(signal.SIGSTOP)
    until_not_ready(["1 of 2 workers answered"], *broker)


def test_without_workers_or_consumers_of_the_queue_nothing_is_ready(fleet):
    broker = ("--broker", fleet.broker, "--timeout", "1s")
    assert flagstaff("ready", NEW, *broker)[1]["problems"] == ["no worker answers"]
    fleet.worker("one", "after", "shop")
    problems = ["1 of 2 expected workers answered", "no worker takes jobs from integrations"]
    until_not_ready(problems, *broker, "--queue", "integrations", "--workers", "2")


def until_not_ready(problems, *words):
    """Ask until these are the problems: a worker that is busy may not answer the first time."""

    def so():
        code, told = flagstaff("ready", NEW, *words)
        assert code == 1
        return told["problems"] == problems

    until(so)


def test_rabbitmq_tells_of_no_silent_worker_so_their_number_is_needed(rabbit_fleet):
    fleet = rabbit_fleet
    fleet.worker("one", "after", "shop,integrations")
    broker = ("--broker", fleet.broker, "--timeout", "1s")
    code, told = heard("ready", NEW, *broker)
    assert (code, len(told["problems"])) == (1, 1)
    assert "give --workers N" in told["problems"][0]
    assert heard("ready", NEW, *broker, "--workers", "1")[0] == 0
    code, told = heard("drained", OLD, *broker, "--workers", "1", "--stable", "1s")
    assert code == 1, "what is unacked there cannot be counted"
    assert [each["place"] for each in told["places"] if each["state"] == "unknown"] == ["unacked"]
