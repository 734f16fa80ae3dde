"""Is every job enqueued under a name that a worker knows, in a queue that a worker reads?"""

from __future__ import annotations

import json

import pytest
from celery import signals

from app import enqueue, job_events  # noqa: F401  (writes the log)
from app.celery_app import QUEUES, app
from app.settings import settings

REQUESTS = {
    "project_service": lambda: enqueue.execute_integration(1, "push"),
    "irker": lambda: enqueue.notify_irker(2, "#commits"),
    "activate_service": lambda: enqueue.activate_integration(3, "prometheus"),
    "deactivate_service": lambda: enqueue.deactivate_integration(4, "prometheus"),
}


@pytest.fixture
def published():
    jobs = []

    def remember(sender, routing_key, **_):
        jobs.append((sender, routing_key))

    signals.after_task_publish.connect(remember)
    yield jobs
    signals.after_task_publish.disconnect(remember)


@pytest.mark.parametrize("request_job", REQUESTS.values(), ids=REQUESTS)
def test_workers_know_the_name_and_read_the_queue(request_job, published):
    request_job()
    [(name, queue)] = published
    assert name in app.tasks
    assert queue in QUEUES


@pytest.mark.parametrize(("name", "request_job"), REQUESTS.items(), ids=REQUESTS)
def test_each_job_has_a_queue_of_its_own(name, request_job, published):
    request_job()
    assert published == [(name, name)]


def test_an_enqueued_job_is_logged():
    job_id = enqueue.execute_integration(1, "push")
    lines = [
        json.loads(line)
        for path in settings.log_folder.glob("jobs-web-*.jsonl")
        for line in path.read_text().splitlines()
    ]
    [line] = [line for line in lines if line["jid"] == job_id]
    assert line["job_status"] == "enqueued"
    assert line["created_at"] <= line["enqueued_at"]


def test_routes_lead_to_queues_that_are_read():
    assert {route["queue"] for route in app.conf.task_routes.values()} == set(QUEUES)
