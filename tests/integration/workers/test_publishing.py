"""Does every way of publishing follow the flag, and a retry keep its name?"""

from __future__ import annotations

import pytest
from celery import chain, chord, group
from celery.beat import ScheduleEntry, Scheduler
from celery.schedules import schedule
from fleet import until

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

OLD, NEW = "shop.notify", "integrations.notify"


def beat(jobs, number):
    entry = ScheduleEntry(
        name="n", task=OLD, schedule=schedule(1), args=(number,), kwargs={}, app=jobs.app
    )
    scheduler = Scheduler(app=jobs.app, lazy=True)
    scheduler.apply_async(entry, producer=scheduler.producer, advance=False)
    scheduler.connection.release()


def signature_by_name(jobs, number):
    jobs.app.signature(OLD, args=(number,)).delay()


WAYS = {
    "delay": lambda jobs, n: jobs.notify.delay(n),
    "apply_async": lambda jobs, n: jobs.notify.apply_async((n,), countdown=0.1, priority=3),
    "keywords": lambda jobs, n: jobs.notify.apply_async(kwargs={"number": n}),
    "signature": lambda jobs, n: jobs.notify.s(n).apply_async(),
    "signature by name": signature_by_name,
    "chain, first": lambda jobs, n: chain(jobs.notify.si(n), jobs.collect.si([0])).delay(),
    "chain, later": lambda jobs, n: chain(jobs.collect.si([0]), jobs.notify.si(n)).delay(),
    "group": lambda jobs, n: group([jobs.notify.si(n)]).delay(),
    "chord, header": lambda jobs, n: chord([jobs.notify.si(n)])(jobs.collect.s()),
    "chord, body": lambda jobs, n: chord([jobs.collect.si([0])])(jobs.notify.si(n)),
    "link": lambda jobs, n: jobs.collect.apply_async(([0],), link=jobs.notify.si(n)),
    "inside a job": lambda jobs, n: jobs.fan_out.delay([n]),
    "send_task by name": lambda jobs, n: jobs.app.send_task(OLD, (n,)),
    "send_task by the new name": lambda jobs, n: jobs.app.send_task(NEW, (n,)),
    "the new name's task": lambda jobs, n: jobs.app.tasks[NEW].delay(n),
    "beat": beat,
    "the old queue": lambda jobs, n: jobs.notify.apply_async((n,), queue="shop"),
    "retried": lambda jobs, n: jobs.notify.delay(n, fail=1),
}


@pytest.mark.parametrize("broker", ["fleet", "rabbit_fleet"])
def test_every_way_follows_the_flag(broker, request):
    fleet = request.getfixturevalue(broker)
    jobs = fleet.jobs("after")
    fleet.worker("after", "after", "shop,integrations", pool="threads", concurrency=4)
    numbers = {}
    for on in (False, True):
        fleet.flag(on=on)
        if on:  # the worker publishes as well
            until(lambda: jobs.fan_out.delay([0]) and fleet.ran(NEW))
        for way, publish in WAYS.items():
            numbers[len(numbers) + 1] = (way, on)
            publish(jobs, len(numbers))
        until(lambda: set(numbers) <= {each["number"] for each in ours(fleet)})
        until(lambda on=on: [each for each in ours(fleet) if each["try"] and is_on(each) is on])
    wrong = [
        (numbers[each["number"]], each)
        for each in ours(fleet)
        if each["number"]
        and (each["name"], each["queue"], each["variant"])
        != ((NEW, "integrations", "new") if numbers[each["number"]][1] else (OLD, "shop", "old"))
    ]
    assert wrong == []


def ours(fleet):
    return fleet.ran(OLD) + fleet.ran(NEW)


def is_on(line):
    return line["variant"] == "new"


def test_jobs_of_native_delayed_delivery_follow_the_flag(rabbit_fleet):
    fleet = rabbit_fleet
    jobs = fleet.jobs("after", quorum=1)
    fleet.worker("after", "after", "shop,integrations", quorum=1)
    fleet.flag(on=True)
    jobs.notify.apply_async((1,), countdown=1)
    jobs.notify.apply_async((2, 1), {"wait": 1})  # it is tried again, and due later
    jobs.notify.delay(3)
    until(lambda: len(ours(fleet)) == 4)
    assert {(each["number"], each["try"]) for each in fleet.ran(NEW)} == {
        *((1, 0), (2, 0), (2, 1), (3, 0))
    }
    firsts = [each["queue"] for each in fleet.ran(NEW) if not each["try"]]
    assert all(each.endswith("integrations") for each in firsts)


def test_a_retry_keeps_its_name_while_the_flag_turns(fleet):
    jobs = fleet.jobs("after")
    (fleet.folder / "held").touch()
    fleet.worker("after", "after", "shop,integrations")
    jobs.notify.delay(1, fail=2, hold="held", seen=True)
    until(lambda: fleet.ran(OLD))
    fleet.flag(on=True)
    (fleet.folder / "held").unlink()
    until(lambda: jobs.fan_out.delay([0]) and fleet.ran(NEW))  # the worker has seen it as well
    until(lambda: [each for each in ours(fleet) if each["try"] == 2])
    tries = [(each["name"], each["queue"]) for each in ours(fleet) if each["number"] == 1]
    assert tries == [(OLD, "shop")] * 3


def test_a_prefork_child_counts_what_it_runs_and_nothing_else(fleet):
    jobs = fleet.jobs("after")
    fleet.flag(on=True)
    fleet.worker("after", "after", "shop,integrations")
    for number in range(3):
        jobs.notify.delay(number, fail=int(number == 0))
    until(lambda: len(fleet.ran(NEW)) == 4)
    jobs.totals.delay()
    [told] = until(lambda: fleet.ran("totals"))
    counted = told["number"]
    seconds = {key: counted.pop(f"{NEW} {key}") for key in ("waited", "ran")}
    assert counted == {
        f"{NEW} started": 4,
        f"{NEW} succeeded": 3,
        f"{NEW} retried": 1,
        f"{NEW} enqueued": 1,  # the retry, by the child itself
    }
    assert all(0 < value < 600 for value in seconds.values())
    from flagstaff.workers import renames  # noqa: PLC0415

    assert [(each.name, each.event) for each in renames.totals() if each.name == NEW] == [
        (NEW, "enqueued")
    ]
