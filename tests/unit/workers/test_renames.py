"""What does a declared rename do to what is published, without a broker that runs anything?"""

from __future__ import annotations

from decimal import Decimal

import pytest
from celery import current_app
from celery.app.trace import build_tracer
from kombu import Queue

from flagstaff import Client
from flagstaff.errors import UsageError
from flagstaff.sdk.overriding import override_flag
from flagstaff.workers import renames
from flagstaff.workers.draining import prove
from flagstaff.workers.places import Place

OLD, NEW = "shop.notify", "integrations.notify"


def declare(app, spec, **options):
    return renames.declare(
        app, flag="rename", old=OLD, new=NEW, client=Client.memory({"rename": spec}), **options
    )


def nothing():
    pass


def published(app, *queues):
    """Take the messages of the queues: name, queue and our header."""
    found = []
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        for queue in queues or (app.conf.task_default_queue,):
            channel.queue_declare(queue, passive=False)
            while (got := channel.basic_get(queue, no_ack=True)) is not None:
                header = got.headers.get("flagstaff", {})
                found.append((got.headers["task"], queue, header.get("variant")))
    return found


def test_names_have_objects_of_their_own_around_one_body(app):
    @app.task(name=OLD, bind=True, autoretry_for=(KeyError,), max_retries=7, shared=False)
    def notify(self, number):
        return self.name, number

    declare(app, spec=True)
    app.finalize()
    old, new = app.tasks[OLD], app.tasks[NEW]
    assert (old(1), new(1)) == ((OLD, 1), (NEW, 1))
    assert (new.max_retries, new.autoretry_for) == (7, (KeyError,))
    assert new.run is not old.run, "each retries by itself"


@pytest.mark.parametrize("name", [OLD, NEW])
@pytest.mark.parametrize("came", [OLD, NEW])
def test_a_body_that_tries_itself_again_by_its_global_name_keeps_the_name_of_the_job(
    app, name, came
):
    seen = []

    @app.task(name=name, max_retries=3, shared=False)
    def notify(number):
        seen.append((notify.request.id, notify.request.retries, number))
        raise notify.retry(countdown=0)

    declare(app, spec=came == NEW, old_queue="oldq", new_queue="newq")
    app.finalize()
    task, queue = app.tasks[came], {OLD: "oldq", NEW: "newq"}[came]
    tracer = build_tracer(came, task, app=app)
    request = {
        "id": "one",
        "task": came,
        "args": [7],
        "kwargs": {},
        "retries": 1,
        "is_eager": False,
        "called_directly": False,
        "delivery_info": {"exchange": "", "routing_key": queue},
    }
    tracer("one", [7], {}, request)
    assert seen == [("one", 1, 7)]
    assert published(app, "oldq", "newq") == [(came, queue, "new" if came == NEW else "old")]
    assert notify.request.id is None


def test_the_body_may_be_registered_under_the_new_name_or_later(app):
    declare(app, spec=False)
    app.finalize()
    assert NEW not in app.tasks
    app.task(name=NEW, shared=False)(nothing)
    declare(app, spec=False)
    assert app.tasks[OLD].name == OLD


def test_a_class_keeps_what_it_has(app):
    class Notify(app.Task):
        name = OLD
        rate_limit = "10/s"

        def run(self):
            return self.name

    app.register_task(Notify())
    declare(app, spec=True)
    assert (app.tasks[NEW](), app.tasks[NEW].rate_limit) == (NEW, "10/s")


def test_one_object_under_both_names_is_replaced(app):
    task = app.task(name=OLD, shared=False)(nothing)
    app.finalize()
    app.tasks[NEW] = app.tasks[OLD]
    declare(app, spec=True)
    assert (app.tasks[NEW].name, task.name) == (NEW, OLD)


@pytest.mark.parametrize(("on", "name"), [(True, NEW), (False, OLD)])
@pytest.mark.parametrize("asked", [OLD, NEW])
def test_either_name_follows_the_flag(app, on, name, asked):
    declare(app, spec=on)
    app.send_task(asked, (1,))
    app.send_task("shop.other")
    default = app.conf.task_default_queue
    assert published(app) == [
        (name, default, "new" if on else "old"),
        ("shop.other", default, None),
    ]


def test_a_queue_that_the_caller_names_is_left_alone(app):
    app.conf.task_queues = [Queue(each) for each in ("a", "b", "c")]
    declare(app, spec=True, old_queue="a", new_queue="b")
    for place in ({}, {"queue": "a"}, {"queue": Queue("a")}, {"routing_key": "a"}, {"queue": "c"}):
        app.send_task(OLD, (), **place)
    assert published(app, "a", "b", "c") == [(NEW, "b", "new")] * 4 + [(NEW, "c", "new")]


def test_the_application_may_be_the_current_one(app):
    before = current_app._get_current_object()
    app.set_current()
    try:
        declare(current_app, spec=True)
        assert renames.declared(app) == renames.declared(current_app) != []
    finally:
        before.set_current()
    app.send_task(OLD)
    assert [name for name, *_ in published(app)] == [NEW]


def test_positional_options_are_understood(app):
    declare(app, spec=True)
    result = app.send_task(OLD, (1,), {}, None, None, "an-id")
    assert result.id == "an-id"


def test_the_actor_comes_from_the_arguments_else_from_the_job(app):
    asked = []

    class Flags:
        def is_enabled(self, _name, *actors):
            asked.append(actors)
            return True

    def use(actor):
        renames.declare(app, flag="f", old=OLD, new=NEW, actor=actor, client=Flags())
        app.send_task(OLD, (7,), {"event": "push"}, task_id="1")

    use(lambda project, event: f"Project:{project}/{event}")
    use(None)
    use(renames.BY_TIME)
    use(lambda project: f"Project:{project}")  # it does not take `event`
    assert asked == [("Project:7/push",), ("Job:1",), (), ("Job:1",)]


def test_half_of_the_jobs_is_half(app):
    declare(app, spec=False)
    with override_flag("rename", Decimal(50)):
        for _ in range(400):
            app.send_task(OLD)
    new = sum(name == NEW for name, *_ in published(app))
    assert 120 < new < 280


def test_what_is_no_rename_is_refused(app, monkeypatch):
    monkeypatch.delenv("FLAGSTAFF_URL", raising=False)
    with pytest.raises(UsageError, match="is none"):
        renames.declare(app, flag="f", old=OLD, new=OLD)
    with pytest.raises(UsageError, match="server"):
        renames.declare(app, flag="f", old=OLD, new=NEW)
    declare(app, spec=True)
    with pytest.raises(UsageError, match="renamed twice"):
        renames.declare(app, flag="f", old=NEW, new="c", client=Client.memory({}))
    assert [each.new for each in renames.declared(app)] == [NEW]


def test_it_is_known_where_a_name_waits(app):
    app.conf.task_routes = {NEW: {"queue": "fast"}}
    assert renames.queue_of(app, NEW) == "fast"
    app.amqp.router.routes = (lambda *_, **__: 1 / 0,)
    assert renames.queue_of(app, NEW) == "", "nobody knows, and nothing breaks"
    declare(app, spec=True, new_queue="b")
    assert renames.queue_of(app, NEW) == "b"


def test_a_proof_takes_two_looks_and_the_whole_time():
    now = [0.0]

    def proof(looks, stable):
        left = iter(looks)
        now[0] = 0.0
        return prove(
            lambda: [next(left)],
            OLD,
            stable=stable,
            clock=lambda: now[0],
            sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
        )

    empty, found = Place(place="a"), Place(place="a", embedded=1)
    unknown = Place(place="a", doubt="who knows")
    assert proof([empty] * 2, 0).looks == 2
    whole = proof([empty] * 4, 2.5)
    assert (whole.drained, whole.looks, whole.stable) == (True, 4, 2.5)
    for last in (found, unknown):
        broken = proof([empty, empty, last], 9)
        assert (broken.drained, broken.looks) == (False, 3)
