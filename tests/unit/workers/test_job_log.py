"""Has each try of a job two lines in GitLab's form, and its spans the side it is on?"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest
from celery import Celery, signals
from celery.app.trace import build_tracer
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from flagstaff import Client
from flagstaff.integrations.metrics.job_logs import JobLogs
from flagstaff.rollouts.guard import Guard
from flagstaff.workers import renames, watching

OLD, NEW = "shop.notify", "integrations.notify"


@pytest.fixture
def client():
    return Client.memory({"rename": True})


@pytest.fixture
def app(tmp_path, client):
    app = Celery(uuid.uuid4().hex, broker="memory://", set_as_current=False)
    app.conf.task_default_queue = f"default-{app.main}"
    watching.watch(app, client=client, job_log=tmp_path / "log")

    @app.task(name=OLD, shared=False, bind=True, ignore_result=True)
    def notify(self, number):
        if number < 0:
            raise ValueError("it is negative")
        if number == 0:
            raise self.retry(countdown=60)

    renames.declare(app, flag="rename", old=OLD, new=NEW, client=client)
    app.finalize()
    watching.watched(app).wrap(rebuild=False)
    yield app
    app.close()


def execute(app, number, *, name=NEW, **request):
    """Run a job as a worker does, without the worker."""
    task = app.tasks[name]
    tracer = build_tracer(name, task, app=app)
    ours = {"flagstaff_at": 1_700_000_000_000, "flagstaff": {"flag": "rename", "variant": "new"}}
    about = {"id": "1-2", "retries": 0, "root_id": "0-0", **ours, **request}
    tracer("1-2", (number,), {}, {**about, "delivery_info": {"routing_key": "shop"}})


def lines(tmp_path):
    return [
        json.loads(line)
        for file in (tmp_path / "log").glob("jobs-*.jsonl")
        for line in file.read_text().splitlines()
    ]


def test_a_job_that_succeeds_has_a_start_and_an_end(app, tmp_path):
    execute(app, 1)
    start, end = lines(tmp_path)
    assert (start["message"], start["job_status"]) == (f"{NEW} JID-1-2: start", "start")
    assert start["scheduling_latency_s"] > 0
    assert (start["class"], start["queue"], start["jid"], start["retry"]) == (NEW, "shop", "1-2", 0)
    assert (start["feature_flag"], start["variant"]) == ("rename", "new")
    assert start["enqueued_at"] == "2023-11-14T22:13:20.000Z"
    assert (end["job_status"], end["severity"]) == ("done", "INFO")
    assert end["message"].startswith(f"{NEW} JID-1-2: done: ")
    assert end["duration_s"] >= 0


def test_failures_and_retries_say_why(app, tmp_path):
    execute(app, -1)
    execute(app, 0)
    _, failed, _, again = lines(tmp_path)
    assert (failed["job_status"], failed["severity"]) == ("fail", "WARN")
    assert (failed["exception.class"], failed["exception.message"]) == (
        "ValueError",
        "it is negative",
    )
    assert any("it is negative" in line for line in failed["exception.backtrace"])
    assert again["job_status"] == "retry"


@pytest.mark.parametrize(("flag", "status"), [("drop", "dropped"), ("run", "deferred")])
def test_what_a_switch_does_is_one_line(tmp_path, flag, status):
    on = flag == "drop"
    client = Client.memory({f"{flag}_jobs_shop.add": on})
    app = Celery(uuid.uuid4().hex, broker="memory://", set_as_current=False)
    watching.watch(app, client=client, job_log=tmp_path / "log")

    @app.task(name="shop.add", shared=False, ignore_result=True)
    def add(number):
        return number

    app.finalize()
    watching.watched(app).wrap(rebuild=False)
    execute(app, 1, name="shop.add")
    app.close()
    (line,) = lines(tmp_path)
    assert line["job_status"] == status
    assert line.get("deferred_count") == (None if on else 1)


def test_guards_that_read_job_logs_read_them(app, tmp_path):
    guard = Guard(name="jobs", logs=("log/*.jsonl",), control=(OLD,), treatment=(NEW,))
    execute(app, 1)
    execute(app, -1)
    execute(app, 1, name=OLD)
    reader = JobLogs(tmp_path, guard, datetime(2020, 1, 1, tzinfo=UTC))
    found = reader.measure()
    assert (found.treatment.total, found.treatment.failed, found.control.total) == (2, 1, 1)


def test_a_folder_that_cannot_be_written_fails_no_job(tmp_path, client, caplog):
    (tmp_path / "log").write_text("a file")
    app = Celery(uuid.uuid4().hex, broker="memory://", set_as_current=False)
    watching.watch(app, client=client, job_log=tmp_path / "log")
    ran = []

    @app.task(name="shop.add", shared=False, ignore_result=True)
    def add(number):
        ran.append(number)

    app.finalize()
    watching.watched(app).wrap(rebuild=False)
    execute(app, 1, name="shop.add")
    app.close()
    assert ran == [1]
    assert "no job log is written" in caplog.text


class Unsayable(Exception):
    def __str__(self):
        raise KeyError("text")


def test_an_error_that_cannot_be_written_is_still_the_error(tmp_path, client):
    app = Celery(uuid.uuid4().hex, broker="memory://", set_as_current=False)
    watching.watch(app, client=client, job_log=tmp_path / "log")
    raised = []

    @app.task(name="shop.add", shared=False, ignore_result=True)
    def add(_number):
        raise Unsayable

    app.tasks["shop.add"].on_failure = lambda exc, *_: raised.append(exc)
    watching.watched(app).wrap(rebuild=False)
    execute(app, 1, name="shop.add")
    app.close()
    assert [type(each) for each in raised] == [Unsayable]
    assert lines(tmp_path)[1]["exception.message"] == "<KeyError while it was written>"


def test_spans_of_publishing_and_running_carry_the_flag(app):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("celery")
    open_spans = []

    def begin(**_):
        span = tracer.start_as_current_span("publish", kind=trace.SpanKind.PRODUCER)
        span.__enter__()
        open_spans.append(span)

    def end(**_):
        open_spans.pop().__exit__(None, None, None)

    signals.before_task_publish.connect(begin, weak=False)
    signals.after_task_publish.connect(end, weak=False)
    try:
        with tracer.start_as_current_span("request"):
            app.tasks[OLD].delay(1)
    finally:
        signals.before_task_publish.disconnect(begin)
        signals.after_task_publish.disconnect(end)
    with tracer.start_as_current_span("run", kind=trace.SpanKind.CONSUMER):
        execute(app, 1)
    found = {span.name: dict(span.attributes) for span in exporter.get_finished_spans()}
    wanted = {
        "feature_flag.key": "rename",
        "feature_flag.result.variant": "new",
        "feature_flag.provider.name": "flagstaff",
    }
    assert found == {"publish": wanted, "request": {}, "run": wanted}
