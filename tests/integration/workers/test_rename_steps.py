"""Does the engine itself rename what waits and delete the old queue, whatever happens meanwhile?

A real server, real workers and a real broker, which is asked in the end what there is.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from fleet import until
from kombu import Connection, Queue

from shown import shown

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
]

JOBS = 2_000
PATIENCE = 400
SPEED = "10"
"""An engine asks workers and brokers again after 30 seconds of its own time."""

OLD, NEW = "shop.notify", "integrations.notify"
SETTINGS = """
flags: flags
environments: [production]
brokers:
  main: {url_file: broker, workers: %d, timeout: 4s%s}
"""
PLAN = """
flag: rename_notify
announce_to: []
guards: []
steps:
  - migrate: {jobs: shop.notify, to: integrations.notify, broker: main,
      old_queue: shop, new_queue: integrations}
  - check: {drained: shop.notify, queues: [shop], stable: 1s, broker: main}
  - delete_queue: {queue: shop, broker: main}
"""


class Plane:
    """A server of the fleet's folder, which can be killed, and its one rollout."""

    def __init__(self, fleet, workers):
        self.root, self._process = fleet.folder, None
        told = f", management: {json.dumps(fleet.management)}" if fleet.management else ""
        (self.root / "broker").write_text(fleet.broker)
        (self.root / "flagstaff.yml").write_text(SETTINGS % (workers, told))
        (self.root / "plan.yml").write_text(PLAN)

    def start(self):
        with (self.root / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "flagstaff", "server", "--port", "0", "--speed", SPEED],
                cwd=self.root,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._answers, within=PATIENCE)

    def begin(self):
        self.start()
        self.run("rollout", "start", "rename_notify", "--plan", "plan.yml")

    def run(self, *words):
        done = subprocess.run(
            [sys.executable, "-m", "flagstaff", *words, "--json"],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["data"]

    def steps(self):
        return {each["kind"]: each for each in shown(self.root)["steps"]}

    def notes(self, kind, words):
        """Return whether a step of the kind holds, with such words."""
        found = self.steps()[kind]
        return found["status"] == "active" and words in found["note"]

    def over(self):
        return shown(self.root)["phase"] == "completed"

    def kill(self, *, all_of_it):
        """Kill the server; the command that it runs goes on, unless the machine is lost."""
        children = [int(each) for each in self._children() if all_of_it]
        self._process.kill()
        for each in children:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self._process.wait(60)

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def _answers(self):
        assert self._process.poll() is None, (self.root / "server.log").read_text()
        with suppress(OSError, ValueError):  # not there yet, or not all of it
            told = json.loads((self.root / ".flagstaff/server.json").read_text())
            return told["pid"] == self._process.pid
        return False

    def _children(self):
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        return [each for task in tasks for each in task.read_text().split()]


class Waiting:
    """What waits at the broker, by queue."""

    def __init__(self, fleet):
        self._fleet = fleet
        with Connection(fleet.broker, connect_timeout=30) as connection:
            connection.ensure_connection(max_retries=20)
            for name in ("shop", "integrations"):
                Queue(name, channel=connection.default_channel, durable=True).declare()

    def __call__(self, queue):
        """Return how many messages wait, None if there is no such queue."""
        with Connection(self._fleet.broker) as connection:
            client = connection.default_channel
            if hasattr(client, "client"):
                named = client.client.smembers("_kombu.binding." + queue)
                return client.client.llen(queue) if named else None
            try:
                return client.queue_declare(queue, passive=True).message_count
            except connection.channel_errors:
                return None


@pytest.fixture(params=["redis", "rabbitmq"])
def shop(request):
    """A fleet on a broker, and what waits there."""
    fleet = request.getfixturevalue("fleet" if request.param == "redis" else "rabbit_place")
    return fleet, Waiting(fleet)


@pytest.fixture
def plane(request):
    """Return what makes a server, which ends with the test."""

    def made(fleet, workers=1):
        plane = Plane(fleet, workers)
        request.addfinalizer(plane.stop)
        return plane

    return made


def publish(fleet, numbers):
    jobs = fleet.jobs("before")
    for number in numbers:
        jobs.notify.delay(number)


def ran_once_as_new(fleet, numbers):
    until(lambda: len(fleet.ran()) >= len(numbers), within=PATIENCE)
    assert Counter(each["number"] for each in fleet.ran()) == Counter(numbers)
    assert {each["name"] for each in fleet.ran() if each["number"]} == {NEW}


@pytest.mark.parametrize("lost", ["the server", "the machine"])
def test_killed_on_the_way_it_goes_on_and_no_job_is_lost_or_runs_twice(shop, plane, held, lost):
    fleet, waiting = shop
    fleet.worker("one", "after", "integrations")
    fleet.flag(on=True)
    fleet.jobs("after").notify.delay(0, hold=held.name)
    until(fleet.ran)
    publish(fleet, range(1, JOBS + 1))
    until(lambda: waiting("shop") == JOBS)
    server = plane(fleet)
    server.begin()
    until(lambda: waiting("integrations"), within=PATIENCE)
    server.kill(all_of_it=lost == "the machine")
    if lost == "the machine":  # RabbitMQ gives back what was held, once it sees that
        until(lambda: waiting("shop"))
    server.start()
    until(lambda: server.steps()["MigrateJobs"]["status"] == "done", within=PATIENCE)
    assert (
        "jobs of shop.notify migrated to integrations.notify"
        in (server.steps()["MigrateJobs"]["note"])
    )
    held.unlink()
    until(server.over, within=PATIENCE)
    ran_once_as_new(fleet, range(JOBS + 1))
    assert (waiting("shop"), waiting("integrations")) == (None, 0)
    assert server.steps()["DeleteQueue"]["note"] == "shop is deleted"


def test_it_holds_with_the_reason_until_no_job_can_be_lost(shop, plane):
    fleet, waiting = shop
    fleet.worker("one", "after", "integrations")
    fleet.worker("two", "before", "other")
    publish(fleet, range(1, 4))
    until(lambda: waiting("shop") == 3)
    server = plane(fleet, workers=2)
    server.begin()
    until(lambda: server.notes("MigrateJobs", "two@test does not know integrations.notify"))
    assert waiting("shop") == 3
    fleet.stop("two")
    fleet.worker("two", "after", "shop,integrations")
    # It takes jobs from the old queue, which the engine must not take away from it.
    until(lambda: server.notes("DeleteQueue", "1 workers take jobs from it"), within=PATIENCE)
    assert waiting("shop") == 0
    assert "shop is not deleted" in server.run("rollout", "show", "1")["steps"][2]["note"]
    fleet.stop("two")
    fleet.worker("two", "after", "integrations")
    until(server.over, within=PATIENCE)
    assert waiting("shop") is None
    assert Counter(each["number"] for each in fleet.ran()) == Counter(range(1, 4))
