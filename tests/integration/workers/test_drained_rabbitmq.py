"""Is what waits in RabbitMQ found wherever it may be, left as it was, and silence no proof?"""

from __future__ import annotations

import signal
from contextlib import closing

import pytest
from celery import Celery, chain
from fleet import flagstaff, heard, until
from kombu import Connection, Queue
from kombu.transport.native_delayed_delivery import (
    declare_native_delayed_delivery_exchanges_and_queues,
)
from waiting import (
    BEAT,
    FOLLOWING,
    HELD,
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
    unknown,
)

from flagstaff.workers.asking import Asker
from flagstaff.workers.draining import is_empty, scan

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def fleet(rabbit_place):
    return rabbit_place


@pytest.fixture
def channel(fleet):
    with Connection(fleet.broker, connect_timeout=30) as connection:
        connection.ensure_connection(max_retries=20)
        yield connection.default_channel


@pytest.mark.parametrize("where", WAITING)
def test_what_waits_at_the_broker_is_found(fleet, where):
    publish, wanted = WAITING[where]
    publish(fleet.jobs("before"))
    places = until(lambda: settled(fleet, wanted))
    assert found(places) == wanted


def settled(fleet, wanted):
    """Look again when nothing was found: a queue that has just been made is not known at once."""
    places = look(fleet, timeout=0.1)
    return places if wanted == found(places) else None


@pytest.mark.parametrize("priorities", [None, 10])
def test_a_look_leaves_messages_in_their_order_and_priority(fleet, channel, priorities):
    arguments = {"x-max-priority": priorities} if priorities else {}
    Queue("shop", channel=channel, queue_arguments=arguments).declare()
    jobs = [fleet.jobs("before", broker=fleet.broker).notify.s(number) for number in range(60)]
    producer = channel.connection.client.Producer(channel)
    for number, job in enumerate(jobs):
        producer.publish(
            [[number], {}, {}],
            routing_key="shop",
            exchange="",
            headers={"task": job.task, "id": str(number)},
            priority=number % 3,
        )
    for _ in range(3):
        until(lambda: found(look(fleet, timeout=0.1)) == {QUEUE: (60, 0)})
    until(lambda: waits(channel) == 60)  # what was looked at is back
    numbers = []
    while message := channel.basic_get("shop", no_ack=True):
        numbers.append(int(message.properties["application_headers"]["id"]))
    by = (lambda number: (-(number % 3), number)) if priorities else None
    assert numbers == sorted(range(60), key=by)


def test_what_is_due_later_in_native_delayed_delivery_is_found(fleet, channel):
    connection = channel.connection.client
    declare_native_delayed_delivery_exchanges_and_queues(connection, "classic")
    connection.Producer(channel).publish(
        [[1], {}, {}],
        routing_key="celery_delayed_27",
        exchange="",
        headers={"task": OLD, "id": "1"},
    )
    until(lambda: found(look(fleet, timeout=0.1)) == {"queue celery_delayed_27": (1, 0)})


def test_a_queue_that_counts_deliveries_is_not_read(fleet, channel):
    Queue("shop", channel=channel, queue_arguments={"x-queue-type": "quorum"}).declare()
    channel.connection.client.Producer(channel).publish("x", routing_key="shop", exchange="")
    # A queue that has just been made is not known at once.
    until(lambda: QUEUE in (places := look(fleet)) and "counts each" in places[QUEUE].doubt)
    message = until(lambda: channel.basic_get("shop"))
    assert not message.properties["application_headers"].get("x-delivery-count")


def test_what_a_worker_has_in_its_memory_is_found(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop", prefetch=4)
    jobs.notify.apply_async((1,), countdown=900)
    until(lambda: found(look(fleet)) == {SCHEDULED: (1, 0)})
    jobs.hold.delay(held.name)
    until(lambda: fleet.ran("shop.hold"))
    jobs.notify.delay(2)
    until(lambda: found(look(fleet)) == {SCHEDULED: (1, 0), RESERVED: (1, 0)})
    # The worker answers and has all that was handed out: so its own words are complete.
    until(lambda: look(fleet)[UNACKED].state == "empty")


@pytest.mark.parametrize("late", [0, 1])
def test_what_runs_is_found_acknowledged_or_not(fleet, held, late):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop", late=late)
    jobs.notify.delay(1, hold=held.name)
    until(lambda: fleet.ran(OLD))
    until(lambda: found(look(fleet)) == {RUNNING: (1, 0)})


def test_what_follows_a_job_that_runs_and_a_retry_that_waits_are_found(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop")
    jobs.notify.delay(1, fail=1, wait=900)
    until(lambda: found(look(fleet)) == {SCHEDULED: (1, 0)})
    chain(jobs.hold.si(held.name), jobs.notify.si(1)).delay()
    until(lambda: fleet.ran("shop.hold"))
    until(lambda: found(look(fleet)) == {SCHEDULED: (1, 0), FOLLOWING: (0, 1)})


def test_what_follows_a_job_that_waits_in_a_worker_is_found(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop", prefetch=4)
    chain(jobs.collect.si([]).set(countdown=900), jobs.notify.si(1)).delay()
    until(lambda: found(look(fleet)) == {HELD: (0, 1)})
    jobs.hold.delay(held.name)
    until(lambda: fleet.ran("shop.hold"))
    jobs.collect.apply_async(([],), link=jobs.notify.si(2))
    until(lambda: found(look(fleet)) == {HELD: (0, 2)})


def test_the_body_of_a_chord_that_waits_for_results_is_found(fleet, held):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop", concurrency=2)
    polled_chord(jobs, jobs.hold.si(held.name), body=jobs.notify.si(1))
    until(lambda: HELD in found(look(fleet)))
    assert fleet.ran(OLD) == []
    held.unlink()
    until(lambda: fleet.ran(OLD))
    until(lambda: found(look(fleet)) == {})


def test_a_worker_that_cannot_say_what_follows_is_unknown_while_jobs_wait_in_it(fleet):
    fleet.worker("one", "before", "shop")
    until(lambda: look(fleet)[HELD].state == "empty")
    jobs = fleet.jobs("before")
    chain(jobs.collect.si([]).set(countdown=900), jobs.notify.si(1)).delay()
    place = until(lambda: "one@test holds" in (seen := look(fleet)[HELD]).doubt and seen)
    assert place.state == "unknown"


def test_a_body_that_cannot_be_read_is_unknown(fleet, channel):
    Queue("shop", channel=channel).declare()
    producer = channel.connection.client.Producer(channel)
    sealed = {"content_type": "application/data", "content_encoding": "binary"}
    headers = {"task": "shop.collect", "id": "1"}
    producer.publish(b"sealed", routing_key="shop", exchange="", headers=headers, **sealed)
    doubt = "1 messages cannot be read"
    until(lambda: QUEUE in (seen := look(fleet, timeout=0.1)) and seen[QUEUE].doubt == doubt)


def test_beat_entries_are_found_and_unknown_without_a_worker(fleet):
    assert look(fleet, timeout=0.1)[BEAT].state == "unknown"
    fleet.worker("one", "after", "shop", beat=1)
    until(lambda: found(look(fleet)) == {BEAT: (1, 0)})


def test_a_message_in_the_hands_of_who_takes_no_jobs_is_unknown(fleet, channel):
    fleet.jobs("before").notify.delay(1)
    until(lambda: found(look(fleet, timeout=0.1)) == {QUEUE: (1, 0)})
    until(lambda: channel.basic_get("shop"))  # once the look has given it back
    until(lambda: "takes no jobs" in look(fleet, timeout=0.1)[UNACKED].doubt)


def test_after_the_cleanup_workers_that_declare_nothing_are_believed(fleet, held):
    prove_after_the_cleanup(fleet, held)


def test_an_empty_system_is_proven_and_a_silent_worker_makes_it_unknown(fleet):
    fleet.worker("one", "after", "shop,integrations")
    silent = fleet.worker("two", "after", "shop")
    until(lambda: {each.state for each in look(fleet).values()} == {"empty"})
    words = ("--broker", fleet.broker, "--management", fleet.management, "--stable", "1s")
    code, proof = heard("drained", OLD, *words)
    assert (code, proof["ok"], proof["stable_s"] >= 12) == (0, True, True)
    ready = ("ready", "integrations.notify", *words[:4])
    assert heard(*ready)[0] == 0
    silent.send_signal(signal.SIGSTOP)
    doubt = "1 of 2 workers answered"
    until(lambda: (told := flagstaff(*ready))[0] == 1 and told[1]["problems"] == [doubt])
    places = until(lambda: (seen := look(fleet, timeout=1))[RUNNING].doubt == doubt and seen)
    assert unknown(places) >= {SCHEDULED, RESERVED, RUNNING, FOLLOWING, BEAT}


def test_what_a_silent_worker_holds_is_unknown(fleet, held):
    silent = fleet.worker("one", "after", "shop", late=1)
    fleet.jobs("before").hold.delay(held.name)
    until(lambda: fleet.ran("shop.hold"))
    silent.send_signal(signal.SIGSTOP)
    until(lambda: "1 consumers, and 0 workers" in look(fleet, timeout=0.5)[UNACKED].doubt)


def test_without_its_management_nothing_is_read_and_nothing_proven(fleet, channel):
    jobs = fleet.jobs("before")
    jobs.notify.delay(1)
    until(lambda: waits(channel))
    app = Celery(broker=fleet.broker, set_as_current=False)
    with closing(app), closing(Asker(app, timeout=0.1)) as asker:
        places = scan(app, asker, OLD, queues=["shop", "other"], own=False)
    assert not is_empty(places)
    seen = {each.place: each for each in places}
    assert unknown(seen) >= {QUEUE, UNACKED}
    assert seen["queue other"].state == "empty"
    assert "give --management URL" in seen[UNACKED].doubt
    assert not channel.basic_get("shop").delivery_info["redelivered"]


def waits(channel):
    return channel.queue_declare("shop", passive=True).message_count
