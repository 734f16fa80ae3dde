"""Is a job found in every place it may wait in, an empty broker proven, and silence no proof?"""

from __future__ import annotations

import signal

import pytest
from celery import chain
from fleet import until
from waiting import (
    BEAT,
    FOLLOWING,
    HELD,
    LIMITED,
    OLD,
    QUEUE,
    RESERVED,
    RUNNING,
    SCHEDULED,
    UNACKED,
    WAITING,
    found,
    look,
    polled_chord,
    prove_after_the_cleanup,
)

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]


@pytest.mark.parametrize("where", WAITING)
def test_what_waits_at_the_broker_is_found(fleet, where):
    publish, wanted = WAITING[where]
    publish(fleet.jobs("before"))
    assert found(look(fleet, timeout=0.1)) == wanted


def test_a_body_that_cannot_be_read_is_unknown(fleet, redis):
    jobs = fleet.jobs("before")
    jobs.collect.delay([])
    raw = redis.rpop("shop").replace(b"application/json", b"application/data")
    redis.lpush("shop", raw)
    place = look(fleet, timeout=0.1)[QUEUE]
    assert (place.state, place.doubt) == ("unknown", "1 messages cannot be read")


def test_lists_of_other_programs_are_no_queues(fleet, redis):
    redis.lpush("mail", "not json", '{"task": "shop.notify"}')
    redis.set("a", "string")
    assert set(look(fleet, timeout=0.1)) == {
        UNACKED,
        SCHEDULED,
        RESERVED,
        RUNNING,
        LIMITED,
        FOLLOWING,
        HELD,
        BEAT,
    }


def test_what_a_worker_has_in_its_memory_is_found(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop", prefetch=4)
    jobs.notify.apply_async((1,), countdown=900)
    until(lambda: found(look(fleet)) == {SCHEDULED: (1, 0), UNACKED: (1, 0)})
    jobs.hold.delay(held.name)
    until(lambda: fleet.ran("shop.hold"))
    jobs.notify.delay(2)
    until(lambda: found(look(fleet)) == {SCHEDULED: (1, 0), RESERVED: (1, 0), UNACKED: (2, 0)})


@pytest.mark.parametrize("late", [0, 1])
def test_what_runs_is_found_acknowledged_or_not(fleet, held, late):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop", late=late)
    jobs.notify.delay(1, hold=held.name)
    until(lambda: fleet.ran(OLD))
    wanted = {RUNNING: (1, 0), **({UNACKED: (1, 0)} if late else {})}
    until(lambda: found(look(fleet)) == wanted)


def test_what_follows_a_job_that_runs_is_found(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop")
    chain(jobs.hold.si(held.name), jobs.notify.si(1)).delay()
    until(lambda: fleet.ran("shop.hold"))
    until(lambda: found(look(fleet)) == {FOLLOWING: (0, 1)})


def test_a_worker_that_cannot_say_what_follows_is_unknown_while_it_runs_jobs(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "before", "shop")
    until(lambda: look(fleet)[FOLLOWING].state == "empty")
    chain(jobs.hold.si(held.name), jobs.notify.si(1)).delay()
    until(lambda: fleet.ran("shop.hold"))
    place = until(lambda: (seen := look(fleet)[FOLLOWING]).doubt.startswith("one@test ") and seen)
    assert place.state == "unknown"


def test_what_follows_a_job_that_waits_in_a_worker_is_found(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop", prefetch=4)
    chain(jobs.collect.si([]).set(countdown=900), jobs.notify.si(1)).delay()
    until(lambda: found(look(fleet)) == {HELD: (0, 1), UNACKED: (0, 1)})
    jobs.hold.delay(held.name)
    until(lambda: fleet.ran("shop.hold"))
    jobs.collect.apply_async(([],), link=jobs.notify.si(2))
    until(lambda: found(look(fleet)) == {HELD: (0, 2), UNACKED: (0, 2)})


def test_the_body_of_a_chord_that_waits_for_results_is_found(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop", concurrency=2)
    polled_chord(jobs, jobs.hold.si(held.name), body=jobs.notify.si(1))
    until(lambda: HELD in found(look(fleet)))
    assert fleet.ran(OLD) == []
    held.unlink()
    until(lambda: fleet.ran(OLD))
    until(lambda: found(look(fleet)) == {})


def test_a_retry_that_waits_is_found(fleet):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop")
    jobs.notify.delay(1, fail=1, wait=900)
    until(lambda: found(look(fleet)) == {SCHEDULED: (1, 0), UNACKED: (1, 0)})


def test_beat_entries_are_found_in_the_settings_of_workers_and_unknown_without(fleet):
    assert look(fleet, timeout=0.1)[BEAT].state == "unknown"
    fleet.worker("one", "after", "shop", beat=1)
    until(lambda: found(look(fleet)) == {BEAT: (1, 0)})


def test_after_the_cleanup_workers_that_declare_nothing_are_believed(fleet, held):
    prove_after_the_cleanup(fleet, held)


def test_an_empty_system_is_proven_and_a_silent_worker_makes_it_unknown(fleet):
    fleet.worker("one", "after", "shop,integrations")
    until(lambda: {each.state for each in look(fleet).values()} == {"empty"})
    silent = fleet.worker("two", "after", "shop")
    until(lambda: {each.state for each in look(fleet).values()} == {"empty"})
    silent.send_signal(signal.SIGSTOP)
    places = until(lambda: one_of_two(look(fleet, timeout=1)))
    assert {place for place, each in places.items() if each.state == "unknown"} == {
        SCHEDULED,
        RESERVED,
        RUNNING,
        FOLLOWING,
        BEAT,
    }


def one_of_two(places):
    """Return the places if one worker told of each; a busy one may need another look."""
    doubts = {each.doubt for each in places.values()} - {""}
    return places if doubts == {"1 of 2 workers answered"} else None
