"""Is what becomes of jobs reported once, and all of it, where one process has several apps?"""

from __future__ import annotations

import uuid

import pytest
from celery import Celery

from flagstaff import Client
from flagstaff.workers import watching
from flagstaff.workers.rename import LateFlags


class Reporting:
    """A client that keeps what is to be reported, each thing once."""

    def __init__(self):
        self.others = []

    def is_enabled(self, _name, *_actors):
        return False

    def report_also(self, other):
        if other not in self.others:
            self.others.append(other)


@pytest.fixture
def apps():
    made = [Celery(uuid.uuid4().hex, broker="memory://", set_as_current=False) for _ in range(2)]
    yield made
    for each in made:
        each.close()


def test_the_queues_of_both_are_in_one_report(apps):
    client = Reporting()
    for number, app in enumerate(apps):
        watching.watch(app, client=client).looker._seen = [{"queue": str(number)}]
    (report,) = client.others
    told = report()
    assert told["queues"] == [{"queue": "0"}, {"queue": "1"}]
    assert len(told["jobs"]) == len(watching.counts.to_json())
    assert report()["queues"] == [], "what was said is not said again"


def test_each_client_hears_of_its_own(apps):
    clients = [Reporting(), Reporting()]
    for client, app in zip(clients, apps, strict=True):
        watching.watch(app, client=client).looker._seen = [{"queue": app.main}]
    assert [each.others[0]()["queues"] for each in clients] == [
        [{"queue": app.main}] for app in apps
    ]


def test_who_comes_after_the_client_was_made_is_reported_as_well(monkeypatch):
    monkeypatch.setenv("FLAGSTAFF_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("FLAGSTAFF_ENVIRONMENT", "production")
    made = Reporting()
    monkeypatch.setattr(Client, "connect", lambda: made)
    late = LateFlags()
    late.report_also("first")
    late.connect()
    late.report_also("second")
    assert made.others == ["first", "second"]
