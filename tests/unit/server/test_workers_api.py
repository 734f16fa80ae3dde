"""Does what applications report of their jobs come out again, for programs and for Prometheus?"""

from __future__ import annotations

import json

import pytest

NOTIFY = {
    "task": "shop.notify",
    "queue": "shop",
    "flag": "rename_notify",
    "variant": "old",
    "seconds": 0.0,
    "enqueued": 7,
    "started": 5,
    "succeeded": 3,
    "failed": 1,
    "retried": 1,
    "waited_s": 1.5,
    "ran_s": 2.5,
}
WAITING = {"queue": "shop", "depth": 4, "tasks": [{"task": "shop.notify", "depth": 2}]}


def report(client, instance="w1", environment="dev", **more):
    body = {"instance": instance, "environment": environment, **more}
    said = json.dumps(body)  # in ASCII, so that anything can be said
    headers = {"content-type": "application/json"}
    return client.post("/api/v1/telemetry", content=said, headers=headers)


def test_a_row_is_told_for_each_task_and_queue(client):
    assert client.get("/api/v1/workers").json() == []
    assert report(client, jobs=[NOTIFY], queues=[WAITING]).status_code == 202
    report(client, instance="w2", jobs=[NOTIFY, {**NOTIFY, "queue": "mail", "flag": ""}])
    mail, shop = client.get("/api/v1/workers").json()
    assert (mail["queue"], mail["flag"], mail["depth"]) == ("mail", "", None)
    assert shop.pop("heard_s") < 60
    sums = {key: 2 * value for key, value in NOTIFY.items() if type(value) in {int, float}}
    sums = {**sums, "ignored": 0, "deferred": 0, "dropped": 0}
    del sums["seconds"]
    assert shop == {
        "environment": "dev",
        "task": "shop.notify",
        "queue": "shop",
        "flag": "rename_notify",
        "variant": "old",
        **sums,
        "last_minute": sums,
        "depth": 2,
        "exact": True,
        "oldest_s": None,
        "queue_depth": 4,
        "running": 0,
        "processes": 2,
    }


def test_rows_are_chosen_by_environment_and_task(client):
    report(client, jobs=[NOTIFY, {**NOTIFY, "task": "shop.other"}])
    report(client, environment="production", jobs=[NOTIFY])

    def told(**chosen):
        found = client.get("/api/v1/workers", params=chosen).json()
        return [(each["environment"], each["task"]) for each in found]

    assert told(environment="production") == [("production", "shop.notify")]
    assert told(task="shop.other") == [("dev", "shop.other")]
    assert client.get("/api/v1/workers", params={"environment": "moon"}).status_code == 400


@pytest.mark.parametrize(
    "broken",
    [
        {"task": ""},
        {"task": "\ud800"},
        {"queue": "x" * 256},
        {"started": -1},
        {"started": "5"},
        {"seconds": None},
        {"waited_s": "nan"},
        {"waited_s": True},
    ],
)
def test_what_makes_no_sense_is_refused(client, broken):
    assert report(client, jobs=[{**NOTIFY, **broken}]).status_code == 400
    assert client.get("/api/v1/workers").json() == []


@pytest.mark.parametrize(
    "broken",
    [{"exact": 0}, {"depth": "4"}, {"tasks": [{"task": "a", "depth": 1, "oldest_s": False}]}],
)
def test_a_queue_that_makes_no_sense_is_refused(client, broken):
    assert report(client, queues=[{**WAITING, **broken}]).status_code == 400


def test_prometheus_reads_them(client):
    name = 'sh"op\n.notify'
    report(client, jobs=[{**NOTIFY, "task": name}], queues=[WAITING])
    text = client.get("/metrics").text
    labels = 'environment="dev",{}flag="rename_notify",queue="shop",task="sh\\"op\\n.notify"'
    event = labels.format('event="failed",')
    assert f'flagstaff_jobs_total{{{event},variant="old"}} 1.0' in text
    assert f'flagstaff_job_run_seconds_total{{{labels.format("")},variant="old"}} 2.5' in text
    assert 'flagstaff_queue_depth{environment="dev",queue="shop"} 4.0' in text
