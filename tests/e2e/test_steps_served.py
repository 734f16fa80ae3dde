"""A real server runs a rollout with a command and an HTTP check, driven from a real terminal."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flagstaff.commands.codec import encode
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.checks import CheckCommand, CheckFlag, CheckHttp, RunCommand
from flagstaff.rollouts.plan import AskPerson, Plan, SetGate, Step
from shown import shown

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(600)]

PATIENCE = 300.0
SCRIPT = """
import json, sys
from datetime import UTC, datetime
from flagstaff.commands.codec import decode
from flagstaff.rollouts.plan import Plan
from flagstaff.rollouts.rollout import Rollout
from flagstaff.server.app import build
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
from flagstaff.services.person import ENGINE
from flagstaff.store import rollouts
from flagstaff.store.rollouts import RolloutRecord
settings = load_settings(root=sys.argv[1], port=0)
application = build(settings)
record = RolloutRecord(
    rollout=Rollout.of(decode(json.loads(sys.argv[2]), Plan)), issue_path="", issue_text="",
    readings=(), revision=0, created_at=datetime.now(UTC), created_by="ada",
)
with application.services.unit(ENGINE, write=True) as unit:
    rollouts.add(unit.connection, record)
application.close()
serve(settings, ready=lambda url: print(url, flush=True))
"""
SETTINGS = """
policies: {consistency: false}
private_hosts: [127.0.0.1]
commands:
  migrate:
    run: [%(python)s, -c, "%(code)s"]
  smoke: {run: [%(python)s, -c, "print('3 passed')"]}
"""
MIGRATE = "import os; open('ran', 'a').write(os.environ['FLAGSTAFF_KEY'] + chr(10)); print('moved')"


@pytest.fixture
def site():
    """Return a server that answers only when the test lets it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.set()
            assert self.server.go_on.wait(PATIENCE)
            body = b'{"status": "green"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.go_on = threading.Event(), threading.Event()
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


def plan(port):
    url = f"http://127.0.0.1:{port}/health"
    actions = (
        RunCommand(command="migrate"),
        CheckCommand(command="smoke"),
        CheckHttp(url=url, path="status", equals="green", timeout=timedelta(seconds=PATIENCE)),
        SetGate(environments=("dev",), change=Boolean(value=True)),
        CheckFlag(environments=("dev",), change=Boolean(value=True)),
        AskPerson(),
    )
    steps = tuple(
        Step(id=f"s{number}", stage="Stage", title=type(action).__name__, action=action)
        for number, action in enumerate(actions, start=1)
    )
    return Plan(flag="new_navigation", title="Roll out", steps=steps)


def flagstaff(root, *words):
    process = subprocess.run(
        [sys.executable, "-m", "flagstaff", *words],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode in {0, 4}, process.stderr
    return process.stdout


def shown_at(root, step):
    """Wait until the rollout is at the step and it has begun, and return what is shown of it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = shown(root)
        begun = {each["id"] for each in found["steps"] if each["status"] != "pending"}
        if found["step"] == step and step in begun:
            return found
        time.sleep(0.2)
    raise AssertionError(found)


def test_it_runs_the_command_once_and_asks_the_address(tmp_path, site):
    definition = tmp_path / "config/feature_flags/ops/new_navigation.yml"
    definition.parent.mkdir(parents=True)
    definition.write_text("name: new_navigation\ntype: ops\ndefault_enabled: false\n")
    words = {"python": sys.executable, "code": MIGRATE}
    (tmp_path / "flagstaff.yml").write_text(SETTINGS % words)
    told = json.dumps(encode(plan(site.server_port)))
    server = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path), told],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout.readline().startswith("http://"), server.stdout.read()
        flagstaff(tmp_path, "rollout", "start", "1")
        assert site.asked.wait(PATIENCE)
        first, second, third = shown_at(tmp_path, "s3")["steps"][:3]
        assert (first["status"], first["output"]) == ("done", "moved")
        assert (second["note"], second["output"]) == ("smoke ended with 0", "3 passed")
        assert third["status"] == "active"
        site.go_on.set()
        found = shown_at(tmp_path, "s6")
        assert found["steps"][2]["note"].endswith("/health: status is green")
        assert [each["status"] for each in found["steps"]] == ["done"] * 5 + ["waiting"]
        assert (tmp_path / "ran").read_text() == "1/s1/0\n"
        assert "| moved" in flagstaff(tmp_path, "rollout", "show", "1")
    finally:
        server.terminate()
        server.communicate(timeout=PATIENCE)
