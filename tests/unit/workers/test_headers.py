"""Does little of ours travel with a job, and enough to know where it waited and since when?"""

from __future__ import annotations

import time
import uuid

import pytest
from celery import Celery
from celery.app.trace import build_tracer
from kombu import Exchange, Queue
from kombu.transport.native_delayed_delivery import calculate_routing_key

from flagstaff import Client
from flagstaff.workers import renames, watching

JOB, OLD, NEW = "shop.count", "shop.notify", "integrations.notify"
DEFAULT = "jobs"


@pytest.fixture
def app():
    """Return an application with a queue whose name is its routing key, and one of a topic."""
    app = Celery(uuid.uuid4().hex, broker=f"memory://{uuid.uuid4().hex}", set_as_current=False)
    topics = Exchange("topics", type="topic")
    app.conf.task_queues = [
        Queue(DEFAULT, Exchange(""), routing_key=DEFAULT),
        Queue("mails", topics, routing_key="mail.#"),
    ]
    app.conf.task_default_queue = DEFAULT
    client = Client.memory({"rename": False})
    watching.watch(app, client=client)
    for name in (JOB, OLD):
        app.task(name=name, shared=False)(nothing)
    renames.declare(app, flag="rename", old=OLD, new=NEW, client=client)
    app.finalize()
    watching.watched(app).wrap(rebuild=False)
    watching.counts.after_fork()  # nothing of other tests
    yield app
    app.close()


def nothing():
    pass


def received(app, queue):
    """Take one message, as a worker does."""
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        for each in app.amqp.queues.values():
            each(channel).declare()
        yield
        found = channel.basic_get(queue, no_ack=True)
    yield channel.message_to_python(found) if isinstance(found, dict) else found


def sent(app, name, place, **options):
    steps = received(app, place)
    next(steps)
    app.tasks[name].apply_async(**options)
    return next(steps)


def run(app, message):
    """Run the job of a message, as a worker does."""
    request = {**message.headers, "delivery_info": message.delivery_info, "is_eager": False}
    request |= {"called_directly": False, "args": [], "kwargs": {}}
    name = message.headers["task"]
    build_tracer(name, app.tasks[name], app=app)(request["id"], [], {}, request)


def rows():
    return {(each["task"], each["queue"]): each for each in watching.counts.to_json()}


def test_a_job_says_when_it_was_published_and_nothing_that_its_routing_key_says(app):
    before = int(time.time() * 1000)
    message = sent(app, JOB, DEFAULT)
    assert before <= message.headers["flagstaff_at"] <= time.time() * 1000
    assert "flagstaff" not in message.headers
    message.headers["flagstaff_at"] -= 5_000
    run(app, message)
    row = rows()[JOB, DEFAULT]
    assert (row["enqueued"], row["started"], row["succeeded"]) == (1, 1, 1)
    assert row["waited_s"] >= 5


def test_one_whose_routing_key_is_another_word_says_which_queue_it_is_in(app):
    message = sent(app, JOB, "mails", queue="mails", routing_key="mail.high", exchange="topics")
    assert message.delivery_info["routing_key"] == "mail.high"
    assert message.headers["flagstaff"] == {"queue": "mails"}
    run(app, message)
    assert rows()[JOB, "mails"]["started"] == 1


@pytest.mark.parametrize("delay", [1, 2**28 - 1])
def test_jobs_of_native_delayed_delivery_are_counted_where_they_go(app, delay):
    key = calculate_routing_key(delay, "mail.high")
    message = sent(app, JOB, DEFAULT)
    delayed = Exchange("celery_delayed_27", type="topic")
    with app.producer_or_acquire() as producer:  # as Celery does with one that is due later
        app.amqp.send_task_message(
            producer,
            JOB,
            app.amqp.create_task_message("1", JOB, (), {}),
            exchange=delayed,
            routing_key=key,
            declare=[delayed],
        )
    message.delivery_info["routing_key"] = key
    run(app, message)
    assert {queue for _, queue in rows()} == {DEFAULT, "mail.high"}
    row = rows()[JOB, "mail.high"]
    assert (row["enqueued"], row["started"]) == (1, 1)


def test_one_that_is_published_anew_elsewhere_says_nothing_of_where_it_was(app):
    first = sent(app, JOB, "mails", queue="mails", exchange="topics", routing_key="mail.high")
    other = {"flag": "rename", "variant": "old"}  # of a job that passes on what it came with
    passed = {"mine": 1, "flagstaff": first.headers["flagstaff"] | other}
    again = sent(app, JOB, DEFAULT, headers=passed)
    assert "flagstaff" not in again.headers
    assert again.headers["mine"] == 1


def test_a_renamed_job_says_which_side_it_is_on(app):
    message = sent(app, NEW, DEFAULT)
    assert message.headers["task"] == OLD
    assert message.headers["flagstaff"] == {"flag": "rename", "variant": "old"}


@pytest.mark.parametrize("at", ["soon", None, 1.5, [], {"at": 1}, 10**400, -(10**400)])
@pytest.mark.parametrize("header", ["old", 7, None, []])
def test_what_somebody_else_wrote_there_is_no_time_and_no_mapping(app, at, header):
    message = sent(app, JOB, DEFAULT)
    message.headers |= {"flagstaff_at": at, "flagstaff": header}
    run(app, message)
    row = rows()[JOB, DEFAULT]
    assert (row["succeeded"], row["waited_s"]) == (1, 0)
