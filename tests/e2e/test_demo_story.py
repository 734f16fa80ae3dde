"""The demo, as `make run` starts it: an application, its workers and the rollout of its flag."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections import Counter

import pytest
from redis import Redis

import brokers
from ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(600)]


OLD_QUEUES = {"project_service", "irker", "activate_service", "deactivate_service"}
NEW_QUEUES = {
    "integrations_execute",
    "integrations_irker",
    "clusters_activate_integration",
    "clusters_deactivate_integration",
}


def demo(folder, *words):
    where = ("--folder", str(folder), "--port", str(free_port()))
    done = subprocess.run(
        [sys.executable, "-m", "flagstaff", "demo", "--once", *where, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
    )
    return done.returncode, done.stdout + done.stderr


def counts(told):
    found = re.search(r"(\d+) jobs enqueued, (\d+) finished, (\d+) lost, (\d+) doubled", told)
    assert found, told
    return tuple(int(number) for number in found.groups())


def gates(folder):
    """The gates in every environment, as the database holds them."""
    with sqlite3.connect(folder / "integrations" / ".flagstaff" / "state.db") as database:
        rows = database.execute("SELECT environment, flag, gates FROM flag_state").fetchall()
    database.close()
    return {(environment, flag): gates for environment, flag, gates in rows}


@pytest.fixture
def redis(tmp_path):
    """A real Redis on a private port."""
    server = brokers.Redis(tmp_path)
    yield server.url()
    server.stop()


@pytest.mark.parametrize("broker", ["embedded", "redis"])
def test_the_rollout_completes_and_loses_no_job(tmp_path, broker, request):
    words = ("--broker", request.getfixturevalue("redis")) if broker == "redis" else ()
    code, told = demo(tmp_path, "--speed", "5760", *words)
    assert code == 0, told
    enqueued, finished, lost, doubled = counts(told)
    assert enqueued == finished > 100
    assert (lost, doubled) == (0, 0)
    assert gates(tmp_path) == {}, "the flag is deleted everywhere at the end"
    issue = (tmp_path / "integrations" / "rollout.md").read_text()
    assert "- [ ]" not in issue.split("Rollback")[0], issue
    if broker == "redis":
        old_queues_are_gone(words[1])
        each_ran_once(tmp_path / "integrations" / "log")


def old_queues_are_gone(url):
    """Ask Redis itself what it has of the queues under the old names and the new ones."""
    with Redis.from_url(url) as client:
        exchanges = [*client.scan_iter("_kombu.binding.*")]
        members = [each.decode() for key in exchanges for each in client.smembers(key)]
        bound = {each.rpartition("\x06\x16")[2] for each in members}
        assert bound.isdisjoint(OLD_QUEUES), members
        assert bound >= NEW_QUEUES, "jobs were published there"
        lists = {key.decode().partition("\x06\x16")[0] for key in client.scan_iter(_type="list")}
        assert lists == set(), "nothing waits, under any name"
        assert client.hlen("unacked") == 0


def each_ran_once(folder):
    """Read the logs of all processes: each job that was enqueued was done once."""
    lines = [
        json.loads(line)
        for file in folder.glob("jobs-*.jsonl")
        for line in file.read_text().splitlines()
    ]
    enqueued, done = (
        Counter(each["jid"] for each in lines if each["job_status"] == status)
        for status in ("enqueued", "done")
    )
    assert done == enqueued
    assert set(done.values()) == {1}
    names = {each["class"] for each in lines if each["job_status"] == "done"}
    assert names >= {*OLD_QUEUES, "integrations.execute", "integrations.irker"}


def test_broken_new_workers_roll_it_back_and_lose_no_job(tmp_path):
    code, told = demo(tmp_path, "--speed", "1440", "--break", "new-workers")
    assert code == 0, told
    enqueued, finished, lost, doubled = counts(told)
    assert enqueued == finished > 50
    assert (lost, doubled) == (0, 0)
    assert re.search(r"Rolled back after .* jobs against 0 of .*; evidence", told), (
        "the evidence is told"
    )
    assert gates(tmp_path) == {}, "it was set nowhere before, so it is set nowhere after"
