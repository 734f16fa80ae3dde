"""Does the demo application really run, and does it lose no job while it is redeployed?"""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flagstaff.demo.broker import waiting_jobs
from flagstaff.demo.ledger import LedgerReader
from flagstaff.demo.processes import Application
from flagstaff.demo.repository import create_repository, deploy
from flagstaff.errors import Unavailable
from ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.enable_socket]

HERE = Path(__file__).parent
OLD = {"project_service", "irker", "activate_service", "deactivate_service"}
NEW = {
    "integrations.execute",
    "integrations.irker",
    "clusters.activate_integration",
    "clusters.deactivate_integration",
}

# Answers yes with the percentage that a file says, so a test turns the flag without a server.
CLIENT_FROM_FILE = """
import os, random
from pathlib import Path
import flagstaff

class Client:
    @classmethod
    def connect(cls, url, **_options):
        return cls()

    def is_enabled(self, name):
        return random.random() * 100 < float(Path(os.environ["PERCENTAGE_FILE"]).read_text())

flagstaff.Client = Client
"""


class Demo:
    def __init__(self, folder, **environment):
        self.repository = create_repository(folder / "repository", webhook=None)
        self.folder = folder
        self.percentage = folder / "percentage"
        self.percentage.write_text("0")
        (folder / "client").mkdir()
        (folder / "client/sitecustomize.py").write_text(CLIENT_FROM_FILE)
        self.application = Application(
            checkout=self.deploy("v15.0"),
            state=self.repository.root,
            port=free_port(),
            environment={
                "PYTHONPATH": str(folder / "client"),
                "PERCENTAGE_FILE": str(self.percentage),
                "FLAGSTAFF_URL": "http://127.0.0.1:1",
                "JOBS_PER_SECOND": "60",
                **environment,
            },
        )
        self._reader = LedgerReader(self.application.log_folder, grace=timedelta(0))

    def deploy(self, commit):
        return deploy(self.repository.root, commit, self.folder / f"release-{commit}")

    def ledger(self):
        waiting = waiting_jobs(self.application.broker)
        return self._reader.read(waiting, now=datetime.now(UTC))

    def drain(self):
        self.application.set_traffic(0)
        deadline, before = time.monotonic() + 120, None
        # A request that was under way when the traffic stopped still enqueues its job.
        while not (ledger := self.ledger()).settled or ledger.enqueued != before:
            assert time.monotonic() < deadline, ledger
            before = ledger.enqueued
            time.sleep(1)
        return ledger

    def wait_for(self, condition):
        deadline = time.monotonic() + 120
        while not condition(self.ledger()):
            assert time.monotonic() < deadline, self.ledger()
            time.sleep(0.1)

    def get(self, path):
        return self._ask("GET", path)[1]

    def chat(self, key, body):
        return self._ask("POST", "/chat", body, {"Idempotency-Key": key})[0]

    def _ask(self, method, path, body=None, headers=None):
        host = self.application.url.removeprefix("http://")
        with contextlib.closing(http.client.HTTPConnection(host, timeout=60)) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode()


@pytest.fixture
def start_demo(tmp_path):
    demos = []

    def start(**environment):
        demo = Demo(tmp_path, **environment)
        demos.append(demo)
        demo.application.start()
        return demo

    yield start
    for demo in demos:
        demo.application.stop()


def ran_new_names(ledger):
    return ledger.succeeded.keys() | ledger.failed.keys() >= NEW


def test_no_job_is_lost_from_the_old_names_to_the_new(start_demo):
    demo = start_demo()
    demo.wait_for(lambda ledger: ledger.succeeded.keys() == OLD)
    demo.application.restart(demo.deploy("main"))
    demo.percentage.write_text("50")
    demo.wait_for(ran_new_names)
    demo.application.restart()
    ledger = demo.drain()
    assert not ledger.lost
    assert not ledger.doubled
    assert not ledger.unannounced
    assert not ledger.failed
    assert ledger.succeeded == ledger.enqueued
    assert ledger.enqueued.keys() == OLD | NEW
    demo.get("/")
    metrics = demo.get("/metrics")
    states = 'feature_flags="rename_integrations_workers:1"'
    count = ledger.succeeded["integrations.irker"]
    labels = f'class="integrations.irker",queue="integrations_irker",event="done",{states}'
    assert f"app_jobs_total{{{labels}}} {count}" in metrics
    assert 'app_requests_total{method="GET",status="302"}' in metrics


def test_a_rehearsed_incident_fails_jobs_under_the_new_names_only(start_demo):
    demo = start_demo(DEMO_BREAK="new-workers")
    demo.application.restart(demo.deploy("main"))
    demo.percentage.write_text("50")
    demo.wait_for(ran_new_names)
    ledger = demo.drain()
    assert ledger.failed.keys() == NEW
    assert ledger.succeeded.keys() <= OLD
    assert not ledger.lost
    [failure, *_] = [
        line
        for path in demo.application.log_folder.glob("jobs-worker-*.jsonl")
        for line in map(json.loads, path.read_text().splitlines())
        if line["job_status"] == "fail"
    ]
    assert failure["exception.class"] == "LookupError"
    assert failure["severity"] == "WARN"


def test_an_announcement_is_kept_once(start_demo):
    demo = start_demo()
    body = json.dumps({"channel": "#production", "text": "25 %"}).encode()
    assert [demo.chat("a", body), demo.chat("a", body), demo.chat("b", body)] == [201, 200, 201]
    assert [line["key"] for line in json.loads(demo.get("/chat"))] == ["a", "b"]
    assert demo.chat("c", b"[]") == 400


def test_a_process_that_cannot_start_says_why(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        demo = Demo(tmp_path)
        application = Application(
            checkout=demo.application.checkout,
            state=tmp_path / "state",
            port=taken.getsockname()[1],
            workers=0,
        )
        with pytest.raises(Unavailable, match="Address already in use"):
            application.start()


def test_the_processes_end_with_their_parent_however_it_ends(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; sys.path[:0] = sys.argv[2:];"
        "from test_demo_app import Demo; demo = Demo(Path(sys.argv[1])); demo.application.start();"
        "print(demo.application.web.pid, *(w.pid for w in demo.application.workers), flush=True);"
        "time.sleep(60)"
    )
    paths = [tmp_path, HERE, HERE.parent]
    command = [sys.executable, "-c", script, *map(str, paths)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        children = [int(pid) for pid in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)
    assert len(children) == 3
    deadline = time.monotonic() + 60
    while any(map(is_alive, children)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_alive(pid):
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("commit", ["v15.0", "main~1", "main"])
def test_the_applications_own_tests_pass_at_each_commit(tmp_path, commit):
    repository = create_repository(tmp_path / "repository", webhook=None)
    release = deploy(repository.root, commit, tmp_path / "release")
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=release,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tests.returncode == 0, tests.stdout + tests.stderr
