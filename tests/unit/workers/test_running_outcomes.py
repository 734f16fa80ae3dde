"""Are jobs of a renamed name counted for guards in a rollout of their flag, and only then?"""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest
from celery import Celery
from celery.app.trace import build_tracer

from flagstaff import Client
from flagstaff.sdk.outcomes import JOBS, RETRIED, SLOW_JOBS, WAITS, slow_kind
from flagstaff.workers import renames, watching
from flagstaff.workers.headers import AT

FLAG, OLD, NEW = "rename", "shop.notify", "integrations.notify"


@pytest.fixture
def client():
    return Client.memory({FLAG: True, "other": True})


@pytest.fixture
def app(client):
    app = Celery(uuid.uuid4().hex, broker="memory://", set_as_current=False)

    @app.task(name=OLD, shared=False, bind=True, max_retries=3)
    def notify(self, number):
        if number < 0:
            raise self.retry(countdown=0)
        return 1 / number

    renames.declare(app, flag=FLAG, old=OLD, new=NEW, client=client)
    app.finalize()
    watching.watched(app).wrap(rebuild=False)  # as a worker does when it begins
    yield app
    app.close()


def run(app, name, number, *, retries=0, at=None):
    """Run one job as a worker does."""
    queue = app.conf.task_default_queue
    request = {
        "id": uuid.uuid4().hex,
        "task": name,
        "args": [number],
        "kwargs": {},
        "retries": retries,
        "is_eager": False,
        "called_directly": False,
        "delivery_info": {"exchange": "", "routing_key": queue},
        **({AT: int(at * 1000)} if at else {}),
    }
    build_tracer(name, app.tasks[name], app=app)(request["id"], [number], {}, request)


def roll_out(client, *flags):
    now = client.holder.snapshot
    version = now.version + 1
    client.holder.replace(replace(now, version=version, in_rollout=frozenset(flags)))


def counted(client):
    return {
        each.kind: (each.on, each.on_bad, each.off, each.off_bad)
        for each in client._outcomes.totals()
        if each.flag == FLAG
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
    found = counted(client)
    assert found[JOBS] == (2, 1, 1, 0)
    roll_out(client)
    run(app, NEW, 0)
    run(app, NEW, 1, at=time.time())
    assert counted(client) == found, "nobody compares any more"


def test_tries_that_end_in_another_one_are_told_apart_from_how_jobs_go(app, client):
    roll_out(client, FLAG)
    run(app, NEW, -1)
    run(app, NEW, -1, retries=1)
    run(app, NEW, 1, retries=2)
    run(app, OLD, 0)
    found = counted(client)
    assert found[RETRIED] == (3, 2, 1, 0)
    assert found[JOBS] == (1, 0, 1, 1)


def test_waits_are_those_of_first_tries_whose_publisher_said_since_when(app, client):
    roll_out(client, FLAG)
    now = time.time()
    run(app, NEW, 1, at=now - 15)
    run(app, NEW, 1, at=now - 15, retries=1)
    run(app, OLD, 1, at=now + 600)  # the clock of whoever published it is ahead
    run(app, OLD, 1)
    found = counted(client)
    waits = [found[slow_kind(WAITS, bound)] for bound in SLOW_JOBS]
    assert waits == [(1, 1, 1, 0), (1, 1, 1, 0), (1, 0, 1, 0)]
