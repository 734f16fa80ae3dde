"""Flags that should go: listed, deleted and told of, through the real program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flagstaff.demo.plane import ControlPlane
from ports import free_port

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.timeout(900)]

PATIENCE = 120
KILLS = 5
DEFINITION = "name: {}\ntype: {}\ngroup: group::shop\nmilestone: '15.2'\ndefault_enabled: false\n"


class Chat:
    """A webhook that remembers which texts arrived under which `Idempotency-Key`."""

    def __init__(self):
        self.texts = defaultdict(list)
        self.heard = threading.Condition()
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with chat.heard:
                    chat.texts[self.headers["Idempotency-Key"]].append(body["text"])
                    chat.heard.notify_all()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/chat"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def wait_for_more_than(self, count):
        """Wait for that many messages, or for a while: what comes while nobody runs never comes."""
        with self.heard:
            self.heard.wait_for(lambda: len(self.texts) > count, 6)

    def count(self, words):
        return sum(words in texts[0] for texts in self.texts.values())


@pytest.fixture
def chat():
    found = Chat()
    yield found
    found.close()


@pytest.fixture
def define(tmp_path):
    def write(name, kind="ops"):
        path = tmp_path / "config/feature_flags" / kind / f"{name}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(DEFINITION.format(name, kind))
        return path

    return write


@pytest.fixture
def start(tmp_path):
    begun = []

    def starting(speed):
        (tmp_path / "var/output").mkdir(parents=True, exist_ok=True)
        plane = ControlPlane(tmp_path, speed=speed, port=free_port())
        begun.append(plane)
        plane.start()
        return plane

    yield starting
    for plane in begun:
        plane.stop()


@pytest.fixture
def run(tmp_path):
    def flagstaff(*words):
        kept = ("PATH", "HOME", "LANG", "PYTHONPATH")
        done = subprocess.run(
            [sys.executable, "-m", "flagstaff", *words],
            cwd=tmp_path,
            env={name: os.environ[name] for name in kept if name in os.environ},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout, done.stderr

    return flagstaff


def until(holds):
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.2)
    return found


def test_what_nobody_defines_is_listed_shown_and_deleted(start, run, define):
    gone = [define("old_one"), define("old_two")]
    define("kept")
    start(1)
    for flag in ("old_one", "old_two", "kept"):
        assert run("feature", "set", flag, "true", "--dev", "--staging")[0] == 0
    for path in gone:
        path.unlink()

    def seen():  # the server looks at its files twice a second
        code, out, _ = run("flag", "stale", "--reason", "no_definition")
        assert code == 0
        return out if "old_one" in out and "old_two" in out else ""

    out = until(seen)
    assert "old_one (undefined)\n  no_definition: set in dev, staging, and defined nowhere" in out
    code, out, _ = run("flag", "stale", "--json", "--fail")
    assert code == 1
    found = json.loads(out)["data"]["flags"]
    assert [each["flag"] for each in found] == ["old_one", "old_two"]
    assert run("flag", "stale", "--fail", "--owner", "shop")[0] == 0

    words = ("feature", "delete", "--undefined", "--environment", "dev", "--staging")
    code, out, _ = run(*words, "--dry-run")
    assert code == 0
    assert "staging: 2 flags without definition to be deleted" in out
    code, _, err = run(*words)
    assert code == 2
    assert "dev: 2 flags without definition to be deleted\n  old_one: " in err
    assert "needs a yes" in err
    assert len(json.loads(run("flag", "stale", "--json")[1])["data"]["flags"]) == 2
    code, out, _ = run(*words, "--yes", "--reason", "tidy")
    assert code == 0
    assert "dev: 2 flags without definition deleted" in out
    assert run("flag", "stale", "--fail")[0] == 0
    assert run(*words, "--yes")[1].startswith("staging: no flag is set without a definition")
    assert "tidy" in run("audit", "list", "--flag", "old_two")[1]


def test_a_date_is_settled_and_shown(start, run, define):
    define("new_one", "beta")
    start(1)
    code, out, _ = run("flag", "due", "new_one", "90d", "--reason", "after the sale")
    assert code == 0
    assert "to be gone by" in out
    assert "after the sale" in run("feature", "get", "new_one", "--dev")[1]
    assert run("flag", "due", "new_one", "2020-01-01", "--reason", "r")[0] == 2
    assert run("flag", "due", "new_one", "90d")[0] == 2


@pytest.mark.slow
def test_reminders_come_once_however_often_the_server_is_killed(start, define, chat, tmp_path):
    define("old_one", "wip")
    (tmp_path / "flagstaff.yml").write_text(
        "channels: {team: '#team'}\n"
        f"notify: {{webhook: '{chat.url}'}}\n"
        "lifecycle: {lifespans: {wip: 20d}, remind_before: 10d}\n"
    )
    plane = start(86_400)
    for kill in range(KILLS):
        chat.wait_for_more_than(kill)
        os.kill(plane.pid, signal.SIGKILL)
        plane.stop()
        plane.start()
    with chat.heard:
        assert chat.heard.wait_for(lambda: chat.count("since") >= 2, PATIENCE)
    plane.stop()
    assert chat.count(" by ") <= 1
    assert chat.count(" now, ") <= 1
    # A stage that passed while the server was away is not made up for, and none comes twice; only
    # a kill between the post and its note may repeat one, under the same key.
    assert all(len(set(texts)) == 1 for texts in chat.texts.values())
    assert sum(map(len, chat.texts.values())) <= len(chat.texts) + KILLS
