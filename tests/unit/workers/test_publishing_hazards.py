"""Is a job published whatever an application's settings, flags and other patches are?"""

from __future__ import annotations

import logging

import pytest
from celery import Celery
from celery.app.trace import build_tracer
from celery.exceptions import SoftTimeLimitExceeded
from kombu import Exchange, Queue

from flagstaff import Client
from flagstaff.workers import renames, watching

OLD, NEW = "shop.notify", "integrations.notify"


def declare(app, spec, **options):
    client = Client.memory({"rename": spec})
    return renames.declare(app, flag="rename", old=OLD, new=NEW, client=client, **options)


def taken(app, *queues):
    """Take the messages of queues: the name, and the queue."""
    found = []
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        for queue in queues:
            channel.queue_declare(queue, passive=False)
            while (got := channel.basic_get(queue, no_ack=True)) is not None:
                found.append((got.headers["task"], queue))
    return found


def test_whoever_wraps_the_sender_later_is_called_once_and_so_are_we(app):
    watching.watch(app, client=Client.memory({}))
    declare(app, spec=True)  # the one that watches is below, and asks each time
    app.send_task("a")
    ours, seen = app.amqp.send_task_message, []

    def around(*args, **options):
        seen.append(args[1])
        return ours(*args, **options)

    app.amqp.send_task_message = around
    app.send_task("b")
    app.send_task(OLD)
    default = app.conf.task_default_queue
    assert taken(app, default) == [("a", default), ("b", default), (NEW, default)]
    assert seen == ["b", NEW]


@pytest.mark.parametrize("watched", [False, True])
def test_what_is_put_around_the_sender_of_all_applications_later_is_called(
    app, monkeypatch, watched
):
    if watched:
        watching.watch(app, client=Client.memory({}))
    else:
        declare(app, spec=True)
    plain, seen = Celery.send_task, []

    def traced(self, name, *args, **options):
        seen.append(name)
        return plain(self, name, *args, **options)

    monkeypatch.setattr(Celery, "send_task", traced)
    app.send_task(OLD)
    app.send_task(OLD)
    assert seen == [OLD if watched else NEW] * 2


def test_flags_that_fail_leave_a_job_its_old_name(app, caplog):
    class Broken:
        def is_enabled(self, _name, *_actors):
            raise RuntimeError("can't start new thread")

    renames.declare(app, flag="rename", old=OLD, new=NEW, client=Broken())
    app.send_task(NEW)
    default = app.conf.task_default_queue
    assert taken(app, default) == [(OLD, default)]
    assert "rename cannot be asked" in caplog.text


def test_headers_of_a_job_that_publishes_another_decide_nothing(app):
    declare(app, spec=False)
    header = {"flag": "rename", "variant": "new", "deferred": 2}
    app.send_task(NEW, headers={"trace": "1", "flagstaff": header})
    with app.connection_for_read() as connection:
        message = connection.default_channel.basic_get(app.conf.task_default_queue, no_ack=True)
    assert message.headers["task"] == OLD
    assert message.headers["trace"] == "1"
    assert message.headers["flagstaff"] == {"flag": "rename", "variant": "old"}


def test_a_limit_of_time_is_no_failure_of_flags_or_actors(app):
    def slow(*_):
        raise SoftTimeLimitExceeded

    class Slow:
        is_enabled = slow

    for options in ({"actor": slow, "client": Client.memory({})}, {"client": Slow()}):
        renames.declare(app, flag="rename", old=OLD, new=NEW, **options)
        with pytest.raises(SoftTimeLimitExceeded):
            app.send_task(OLD)


ROUTES = {
    "in full": {OLD: {"exchange": "media", "routing_key": "a", "exchange_type": "topic"}},
    "by a pattern": {"*.notify": {"queue": "a", "exchange": "a", "routing_key": "a"}},
    "by a function": lambda *_, **__: {"exchange": "a", "routing_key": "a", "priority": 3},
}


@pytest.mark.parametrize("routes", ROUTES.values(), ids=ROUTES)
@pytest.mark.parametrize(("on", "wanted"), [(False, (OLD, "a")), (True, (NEW, "b"))])
def test_routes_do_not_lead_away_from_the_queue_of_a_name(app, routes, on, wanted):
    app.conf.task_routes = routes
    app.conf.task_queues = [Queue("a", Exchange("a"), "a"), Queue("b", Exchange("b"), "b")]
    declare(app, spec=on, old_queue="a", new_queue="b")
    app.send_task(OLD)
    assert taken(app, "a", "b") == [wanted]


def test_a_queue_of_a_topic_is_reached_by_its_exchange(app):
    topic, first, second = Exchange(f"media-{app.main}", type="topic"), "media.a", "media.b"
    app.conf.task_queues = [Queue(first, topic, first), Queue(second, topic, second)]
    app.conf.task_routes = {"*": {"routing_key": first}}
    declare(app, spec=True, old_queue=first, new_queue=second)
    app.send_task(OLD)
    assert taken(app, first, second) == [(NEW, second)]


@pytest.mark.parametrize(("known", "on", "wanted"), [("a", True, OLD), ("b", False, NEW)])
def test_a_queue_that_is_not_known_and_not_made_keeps_jobs_on_the_other_side(
    app, caplog, known, on, wanted
):
    app.conf.task_queues = [Queue(known)]
    app.conf.task_create_missing_queues = False
    declare(app, spec=on, old_queue="a", new_queue="b")
    with caplog.at_level(logging.ERROR, "flagstaff"):
        app.send_task(OLD)
        app.send_task(NEW)
    assert taken(app, known) == [(wanted, known)] * 2
    queue, name = ("b", NEW) if on else ("a", OLD)
    told = [each.message for each in caplog.records if "task_queues" in each.message]
    assert len(told) == 1
    assert told[0].startswith(f"{queue} is not among the task_queues")
    assert f"no job of {name} can be published" in told[0]


def test_an_object_of_the_teams_own_making_is_not_made_again(app):
    class Notify(app.Task):
        name = OLD

        def __init__(self, mailer):
            self.mailer = mailer

        def run(self):
            return self.name, self.mailer

    app.register_task(Notify("smtp"), autoretry_for=(KeyError,), max_retries=2)
    declare(app, spec=True)
    assert (app.tasks[OLD](), app.tasks[NEW]()) == ((OLD, "smtp"), (NEW, "smtp"))


def test_what_registering_a_class_said_of_tries_holds_for_both_names(app):
    class Notify(app.Task):
        name = OLD
        max_retries = 3

        def run(self):
            raise KeyError

    app.register_task(Notify(), autoretry_for=(KeyError,), retry_kwargs={"countdown": 0})
    declare(app, spec=True)
    queue = app.conf.task_default_queue
    request = {
        "id": "one",
        "task": NEW,
        "args": [],
        "kwargs": {},
        "is_eager": False,
        "called_directly": False,
        "delivery_info": {"exchange": "", "routing_key": queue},
    }
    build_tracer(NEW, app.tasks[NEW], app=app)("one", [], {}, request)
    assert taken(app, queue) == [(NEW, queue)]
