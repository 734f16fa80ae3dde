"""Under which names do jobs travel that follow another, for workers that know one name only?"""

from __future__ import annotations

import json
import pickle
import uuid

import pytest
from celery import Celery, chain, chord, group

from flagstaff import Client
from flagstaff.workers import renames
from flagstaff.workers.following import Following
from flagstaff.workers.messages import in_message

OLD, NEW = "shop.notify", "integrations.notify"
OTHER = "shop.collect"


@pytest.fixture
def app():
    app = Celery(uuid.uuid4().hex, broker="memory://", backend="cache+memory://")
    app.conf.task_default_queue = f"default-{app.main}"

    @app.task(name=OTHER, shared=False)
    def collect(*_, **__):
        pass

    @app.task(name=NEW, shared=False)
    def notify(*_):
        pass

    app.set_current()
    yield app
    app.close()


def declare(app, spec, **options):
    renames.declare(
        app, flag="rename", old=OLD, new=NEW, client=Client.memory({"rename": spec}), **options
    )
    app.finalize()


def waiting(app):
    """Take the messages of the default queue, as whoever looks into the broker has them."""
    found = []
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        channel.queue_declare(app.conf.task_default_queue, passive=False)
        while (got := channel.basic_get(app.conf.task_default_queue, no_ack=True)) is not None:
            body = {"body": got.body, "content-type": got.content_type}
            found.append({**body, "headers": got.headers})
    return found


def holders(messages, name):
    return sum(bool((held := in_message(each, name)).own or held.embedded) for each in messages)


def other(app):
    return app.tasks[OTHER]


WAYS = {
    "a chain": lambda app, job: chain(other(app).si(), other(app).si(), job).delay(),
    "a group in a chain": lambda app, job: chain(
        other(app).si(), group(job, other(app).si()), other(app).si()
    ).delay(),
    "a chord's body": lambda app, job: chord([other(app).si()])(job),
    "a chord in a chain": lambda app, job: chain(
        other(app).si(), chord([other(app).si()], job)
    ).delay(),
    "a link": lambda app, job: other(app).apply_async(link=job),
    "a link of a link": lambda app, job: other(app).apply_async(link=other(app).si().on_error(job)),
    "an error's": lambda app, job: other(app).apply_async(link_error=[job]),
    "a map": lambda _, job: job.type.map([1, 2]).delay(),
    "chunks": lambda _, job: job.type.chunks([(1,), (2,)], 1).delay(),
    "an argument": lambda app, job: other(app).delay(job),
    "a list of them": lambda app, job: other(app).apply_async(kwargs={"them": [job, job]}),
    "by name": lambda app, job: app.send_task(OTHER, chain=[dict(job)]),
}


@pytest.mark.parametrize("used", [OLD, NEW])
@pytest.mark.parametrize(("on", "there", "gone"), [(False, OLD, NEW), (True, NEW, OLD)])
@pytest.mark.parametrize("way", WAYS)
def test_what_follows_travels_under_the_name_that_the_flag_says(app, way, on, there, gone, used):
    declare(app, spec=on)
    job = app.tasks[used].si()
    before = repr(job)
    WAYS[way](app, job)
    messages = waiting(app)
    assert (holders(messages, there) > 0, holders(messages, gone)) == (True, 0)
    assert (job.task, repr(job)) == (used, before), "what the caller built is the caller's"


def test_only_what_is_a_signature_is_touched(app):
    declare(app, spec=False)
    argument = {"task": NEW, "args": 1}
    other(app).delay(argument, NEW, [NEW])
    assert json.loads(waiting(app)[0]["body"])[0] == [argument, NEW, [NEW]]


@pytest.mark.parametrize("kind", [chain, group])
def test_a_pickled_signature_among_arguments_comes_as_one(app, kind):
    declare(app, spec=False)
    one = app.tasks[NEW].si(1)
    many = kind(one, other(app).si())
    other(app).apply_async(([one], many, "text"), serializer="pickle")
    body = waiting(app)[0]["body"]
    (first,), second, text = pickle.loads(body)[0]  # noqa: S301 - it is our own
    assert (type(first), type(second), text) == (type(one), type(many), "text")
    assert [first.task, *(each.task for each in second.tasks)] == [OLD, OLD, OTHER]
    assert first.id == one.id


def test_what_follows_waits_where_its_name_does(app):
    declare(app, spec=False, old_queue="shop", new_queue="integrations")
    app.tasks[OTHER].apply_async(link=app.tasks[NEW].si().set(queue="integrations"))
    body = waiting(app)[0]["body"].decode()
    assert '"queue": "shop"' in body
    assert "integrations" not in body


def test_what_is_nested_too_deeply_keeps_its_names(caplog):
    outer = {"task": NEW, "args": [], "kwargs": {}, "options": {}}
    for _ in range(5_000):
        outer = {"task": OTHER, "args": [], "kwargs": {}, "options": {"link": outer}}
    options = {"chord": outer}
    assert Following({}).named([1], {"a": 2}, options) == ([1], {"a": 2})
    assert options["chord"] is outer
    assert "nested too deeply" in caplog.text


class Asked:
    """Flags that note whom they were asked about."""

    def __init__(self):
        self.actors = []

    def is_enabled(self, _name, *actors):
        self.actors.append(actors)
        return False


def test_what_follows_is_asked_about_by_its_id_as_later_and_by_no_actor_of_half_its_arguments(app):
    asked = Asked()
    renames.declare(app, flag="rename", old=OLD, new=NEW, client=asked)
    app.finalize()
    result = chain(other(app).si(), app.tasks[NEW].si()).delay()
    other(app).apply_async(link=app.tasks[NEW].si())
    assert asked.actors == [(f"Job:{result.id}",), ()]
    renames.declare(app, flag="rename", old=OLD, new=NEW, client=asked, actor=lambda one, _: one)
    chain(other(app).si(), app.tasks[NEW].s(1)).delay()
    assert asked.actors[2:] == [()]


def test_ids_and_order_stay(app):
    declare(app, spec=False)
    job = app.tasks[NEW].si()
    result = chain(other(app).si(), job).delay()
    assert result.id.encode() in waiting(app)[0]["body"]
