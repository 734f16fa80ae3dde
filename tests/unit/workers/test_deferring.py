"""Is a job that is put off there once, whatever the broker says to that?"""

from __future__ import annotations

import uuid

import pytest
from amqp.exceptions import AccessRefused
from celery import Celery
from celery.app.trace import build_tracer
from kombu.exceptions import EncodeError, OperationalError
from redis.exceptions import ResponseError

from flagstaff import Client
from flagstaff.workers import deferring, watching

NAME = "shop.notify"


@pytest.fixture(params=["redis://nobody:1", "amqp://nobody:1"])
def app(request, monkeypatch):
    app = Celery(uuid.uuid4().hex, broker=request.param, set_as_current=False)

    @app.task(name=NAME, shared=False)
    def notify():
        raise AssertionError("it was not to run")

    watch = watching.watch(app, client=Client.memory({f"run_jobs_{NAME}": False}))
    app.finalize()
    watch.wrap(rebuild=False)
    monkeypatch.setattr(deferring, "PAUSE", 0.0)
    yield app
    app.close()


def run(app, name=NAME, **headers):
    request = {
        **headers,
        "id": "one",
        "args": [],
        "kwargs": {},
        "is_eager": False,
        "called_directly": False,
        "delivery_info": {"exchange": "", "routing_key": "q"},
    }
    return build_tracer(name, app.tasks[name], app=app)("one", [], {}, request)


class Refusing:
    """A sender whose broker refuses at first."""

    def __init__(self, *errors):
        self._errors, self.taken = list(errors), []

    def __call__(self, name, *_, **options):
        if self._errors:
            raise self._errors.pop(0)
        self.taken.append((name, options["task_id"], options["headers"]["flagstaff"]))
        self.seconds, self.serializer = options["countdown"], options.get("serializer")


def test_a_broker_that_refuses_is_asked_again_until_it_takes_the_job(app):
    away = OperationalError("away"), ConnectionResetError("gone")
    kind = app.connection_for_write().transport.driver_type
    full = ResponseError("OOM command not allowed") if kind == "redis" else AccessRefused("no")
    app.send_task = Refusing(*away, full, full)
    assert run(app).info.state == "IGNORED"
    assert app.send_task.taken == [(NAME, "one", {"deferred": 1})]


@pytest.mark.parametrize(
    ("options", "longest"), [({"visibility_timeout": 60}, 30), ({}, 400), (None, 400)]
)
def test_a_job_comes_back_before_the_broker_gives_it_to_somebody_else(app, options, longest):
    app.conf.broker_transport_options = options
    app.send_task = Refusing()
    run(app)
    assert longest / 2 <= app.send_task.seconds <= longest


def test_what_no_broker_will_ever_take_fails_and_is_seen(app):
    app.send_task = Refusing(EncodeError("no JSON"))
    assert run(app).info.state == "FAILURE"
    assert app.send_task.taken == []


@pytest.mark.parametrize("name", ["pickle", "application/x-python-serialize"])
def test_a_job_that_came_pickled_goes_on_so(app, name):
    app.conf.accept_content = ["json", name]
    app.send_task = Refusing(EncodeError("no JSON"), OperationalError("away"))
    assert run(app).info.state == "IGNORED"
    assert app.send_task.serializer == "pickle"


def test_a_job_that_ran_is_tried_again_as_any_other(app):
    @app.task(name="shop.again", shared=False, bind=True, max_retries=3)
    def again(self):
        raise self.retry(countdown=1)

    watching.watched(app).wrap(rebuild=False)
    app.send_task = Refusing()
    header = {"flagstaff": {"deferred": 2, "flag": "rename", "variant": "old"}, "mine": 1}
    assert run(app, "shop.again", **header).info.state == "RETRY"
    assert app.send_task.taken == [("shop.again", "one", {"flag": "rename", "variant": "old"})]
