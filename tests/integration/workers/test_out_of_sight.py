"""Is a job found that no ordinary answer of Celery names, and is one of beat no missing worker?"""

from __future__ import annotations

import signal

import pytest
from celery import chain
from fleet import heard, until
from waiting import FOLLOWING, HELD, LIMITED, OLD, RUNNING, found, look, unknown

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]


@pytest.fixture(params=["fleet", "rabbit_place"])
def fleet(request):
    return request.getfixturevalue(request.param)


def seen(fleet):
    """What is found, without what the broker has of it."""
    return {place: each for place, each in found(look(fleet)).items() if place != "unacked"}


def test_a_job_that_is_shown_under_another_name_is_found(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop")
    jobs.notify.apply_async((1,), {"hold": held.name}, shadow="the mail of project 7")
    until(lambda: fleet.ran(OLD))
    until(lambda: seen(fleet) == {RUNNING: (1, 0)})


def test_jobs_that_a_rate_limit_holds_back_are_found(fleet):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop", prefetch=8, rate="1/h")
    for number in (1, 2, 3):
        jobs.notify.delay(number)
    until(lambda: fleet.ran(OLD))
    chain(jobs.collect.si([]), jobs.notify.si(4)).delay()
    chain(jobs.collect.si([]), jobs.notify.si(5)).delay()
    until(lambda: seen(fleet) == {LIMITED: (2 + 1, 0), HELD: (0, 1)})


def test_a_worker_with_rate_limits_that_cannot_say_is_unknown(rabbit_place):
    fleet = rabbit_place
    fleet.worker("one", "before", "shop", prefetch=8, rate="1/h")
    place = until(lambda: (told := look(fleet)[LIMITED]).doubt.startswith("one@test ") and told)
    assert place.state == "unknown"
    until(lambda: LIMITED in unknown(look(fleet, cleaned_up=True)))
    until(lambda: LIMITED not in unknown(look(fleet, "shop.gone", cleaned_up=True)))


@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent"])
def test_what_a_worker_runs_that_was_told_to_end_is_found(fleet, held, pool):
    jobs = fleet.jobs("before")
    ending = fleet.worker("one", "after", "shop", pool=pool, concurrency=2)
    fleet.worker("two", "after", "integrations")
    jobs.notify.delay(1, fail=1, hold=held.name)
    chain(jobs.hold.si(held.name), jobs.notify.si(2)).delay()
    until(lambda: fleet.ran(OLD) and fleet.ran("shop.hold"))
    ending.send_signal(signal.SIGTERM)
    until(lambda: "Warm shutdown" in (fleet.folder / "one.log").read_text())
    for _ in range(4):  # not only in the moment in which it is told
        until(lambda: seen(fleet) == {RUNNING: (1, 0), FOLLOWING: (0, 1)})
    held.unlink()
    assert ending.wait(60) == 0
    until(lambda: RUNNING not in found(look(fleet)))


def test_a_beat_that_hears_questions_is_no_worker_that_does_not_answer(fleet):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop,integrations")
    fleet.beat("before", "--enable-remote-control")
    until(lambda: "celerybeat@" in str(jobs.app.control.ping(timeout=1)))
    where = ("--broker", fleet.broker, "--queue", "integrations")
    more = ("--management", fleet.management) if fleet.management else ()
    assert heard("ready", "integrations.notify", *where, *more)[0] == 0
