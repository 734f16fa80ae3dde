"""A rollout whose control plane is killed again and again does each step once, in order."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flagstaff.commands.model import AutoDeployStatus, ImportRollout, RecordDeployment, ShowRollout
from flagstaff.demo.people import Team
from flagstaff.demo.plane import ControlPlane
from flagstaff.demo.repository import create_repository, head, tag
from flagstaff.demo.train import NEXT_RELEASE, PLACES
from flagstaff.errors import Unavailable
from ports import free_port

SPEED = 8640
KILLS = 20
PATIENCE = 400

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(1_000)]


class JobLog:
    """Jobs that end well under old and new names, written as an application would."""

    NAMES = ("project_service", "integrations.execute")

    def __init__(self, root):
        self.path = root / "log" / "jobs-worker-1.jsonl"
        self.path.parent.mkdir(exist_ok=True)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.write)

    def write(self):
        while not self.stopping.wait(0.02):
            ended = datetime.now(UTC).isoformat()
            with self.path.open("a") as file:
                for name in self.NAMES:
                    line = {"class": name, "job_status": "done", "completed_at": ended}
                    file.write(json.dumps(line) + "\n")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


class Chat:
    """A webhook that remembers which texts arrived under which `Idempotency-Key`."""

    def __init__(self):
        self.texts = defaultdict(list)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/chat"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def handler(self):
        texts = self.texts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                texts[self.headers["Idempotency-Key"]].append(body["text"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler

    @property
    def repeats(self):
        return sum(len(each) - 1 for each in self.texts.values())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Killer:
    """Kills the control plane at random moments, but not while the test itself talks to it."""

    def __init__(self, plane, kills, seed):
        self.plane = plane
        self.left = kills
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while self.left and not self.stopping.is_set():
            # Short lives land in start-up and first moves, longer ones deep in the rollout.
            self.stopping.wait(self.random.uniform(0.0, 0.7))
            with self.lock:
                if self.plane.pid and not self.stopping.is_set():
                    os.kill(self.plane.pid, signal.SIGKILL)
                    self.left -= 1
                    time.sleep(0.01)
                    self.plane.revive()

    @contextmanager
    def held_off(self):
        with self.lock:
            yield


def run_rollout(folder, chat, *, kills, seed=0):
    """Run the demo's issue to its end; return its rollout, audit log and issue, and kills made."""
    repository = create_repository(folder, webhook=chat.url)
    root = repository.root
    plane = ControlPlane(root, speed=SPEED, port=free_port())
    plane.start()
    killer = Killer(plane, kills, seed)
    try:
        with JobLog(root):
            deploy(plane, head(root))
            number = import_issue(plane, repository)
            killer.thread.start()
            rollout = follow(plane, root, number, killer)
            made = kills - killer.left
            killer.stopping.set()
            killer.thread.join()
            audit = plane.server().request(f"/api/v1/audit?rollout={number}&limit=1000")
    finally:
        killer.stopping.set()
        plane.stop()
    return rollout, audit, repository.rollout_issue.read_text(), made


def deploy(plane, sha):
    server = plane.server("release-train")
    running = server.execute(AutoDeployStatus()).data
    for place in PLACES:
        if running.get(place) != sha:
            server.execute(RecordDeployment(environment=place, sha=sha))


def import_issue(plane, repository):
    issue = repository.rollout_issue
    command = ImportRollout(
        text=issue.read_text(),
        path=str(issue),
        placeholders={"milestone": "15.2"},
        start=True,
    )
    return plane.server("dana").execute(command).data["rollout"]


def follow(plane, root, number, killer):
    deadline = time.monotonic() + PATIENCE
    deployed = head(root)
    team = None
    while time.monotonic() < deadline:
        with killer.held_off():
            server = plane.server("dana")
            team = team or Team(root, server)
            team._server = server
            try:
                rollout = server.execute(ShowRollout(rollout=number)).data
                if rollout["phase"] in {"completed", "rolled_back"}:
                    return rollout
                team.look(rollout)
                if head(root) != deployed:
                    tag(root, NEXT_RELEASE)
                    deployed = head(root)
                    deploy(plane, deployed)
            except Unavailable:
                plane.revive()
        time.sleep(0.1)
    raise AssertionError(f"not over after {PATIENCE} s, at {rollout['step']}: {plane_log(root)}")


def plane_log(root):
    return (root / "var" / "output" / "control-plane.log").read_text()[-3000:]


def essence(audit):
    """What was done, without when and in which words: times and counts differ between runs."""
    return [
        (entry["action"], entry["step"], entry["environment"], entry["before"], entry["after"])
        for entry in reversed(audit)
    ]


def boxes(issue):
    return [line for line in issue.splitlines() if "<!-- flagstaff" not in line]


def of_rollouts(chat):
    """Return the keys without those of reminders: how many days a run takes differs."""
    return {key for key in chat.texts if not key.startswith("life/")}


def test_twenty_kills_change_nothing(tmp_path):
    with Chat() as calm_chat, Chat() as rough_chat:
        calm, calm_audit, calm_issue, _ = run_rollout(tmp_path / "calm", calm_chat, kills=0)
        rough, rough_audit, rough_issue, made = run_rollout(
            tmp_path / "rough", rough_chat, kills=KILLS, seed=7
        )
    assert made == KILLS
    assert calm["phase"] == rough["phase"] == "completed"
    assert essence(rough_audit) == essence(calm_audit)
    assert boxes(rough_issue) == boxes(calm_issue)
    assert calm_chat.texts
    assert calm_chat.repeats == 0
    assert of_rollouts(rough_chat) == of_rollouts(calm_chat)
    # A kill between the answer and its note in the database repeats the keys of one announcement.
    assert all(len(texts) <= 1 + KILLS for texts in rough_chat.texts.values())
    for key, texts in [*calm_chat.texts.items(), *rough_chat.texts.items()]:
        assert len(set(texts)) == 1, f"{key}: {texts}"
