"""Are jobs of a renamed name counted for guards in a rollout of their flag, and only then?"""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from celery import Celery
from celery.app.trace import build_tracer

from flagstaff import Client
from flagstaff.sdk.outcomes import JOBS
from flagstaff.workers import renames, watching

FLAG, OLD, NEW = "rename", "shop.notify", "integrations.notify"


@pytest.fixture
def client():
    return Client.memory({FLAG: True, "other": True})


@pytest.fixture
def app(client):
    app = Celery(uuid.uuid4().hex, broker="memory://", set_as_current=False)

    @app.task(name=OLD, shared=False)
    def notify(number):
        return 1 / number

    renames.declare(app, flag=FLAG, old=OLD, new=NEW, client=client)
    app.finalize()
    watching.watched(app).wrap(rebuild=False)  # as a worker does when it begins
    yield app
    app.close()


def run(app, name, number):
    """Run one job as a worker does."""
    queue = app.conf.task_default_queue
    request = {
        "id": uuid.uuid4().hex,
        "task": name,
        "args": [number],
        "kwargs": {},
        "retries": 0,
        "is_eager": False,
        "called_directly": False,
        "delivery_info": {"exchange": "", "routing_key": queue},
    }
    build_tracer(name, app.tasks[name], app=app)(request["id"], [number], {}, request)


def roll_out(client, *flags):
    now = client.holder.snapshot
    version = now.version + 1
    client.holder.replace(replace(now, version=version, in_rollout=frozenset(flags)))


def counted(client):
    return {
        (each.on, each.on_bad, each.off, each.off_bad)
        for each in client._outcomes.totals()
        if (each.flag, each.kind) == (FLAG, JOBS)
    }


def test_jobs_count_for_guards_while_their_flag_is_in_a_rollout(app, client):
    for flags in ((), ("other",)):
        roll_out(client, *flags)
        run(app, OLD, 1)
        assert not client._outcomes.totals()
    roll_out(client, "other", FLAG)
    run(app, OLD, 1)
    run(app, NEW, 1)
    run(app, NEW, 0)
    assert counted(client) == {(2, 1, 1, 0)}
    assert {each.kind.partition(" over ")[0] for each in client._outcomes.totals()} == {JOBS}
    roll_out(client)
    run(app, NEW, 0)
    assert counted(client) == {(2, 1, 1, 0)}, "nobody compares any more"
