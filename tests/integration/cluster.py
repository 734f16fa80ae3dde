"""Several real servers on one real PostgreSQL, and those who work with them meanwhile."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Actors

TOKEN = "a-token-that-all-replicas-share"
FLAG = "new_navigation"
PLACES = ("dev", "staging")
PATIENCE = 60.0
SERVE = """
import logging, sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
logging.basicConfig(level=logging.INFO, format="%(message)s")
settings = load_settings(root=sys.argv[1], port=int(sys.argv[2]), database=sys.argv[3])
serve(settings, ready=lambda url: print(url, flush=True))
"""


class Replica:
    """One server process; started again, it has the same address."""

    def __init__(self, root, database):
        self.root, self.database = root, database
        self.port = 0
        self.process = None
        folder = root / "config/feature_flags/development"
        folder.mkdir(parents=True)
        (folder / f"{FLAG}.yml").write_text(
            f"name: {FLAG}\ntype: development\ndefault_enabled: false\n"
        )
        (root / ".flagstaff").mkdir()
        (root / ".flagstaff/token").write_text(TOKEN)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return (self.root / "log").read_text()

    def start(self):
        with (self.root / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, self.root, str(self.port), self.database],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def wait(self):
        line = self.process.stdout.readline().strip()
        assert line, self.log
        self.port = int(line.rpartition(":")[2])

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process.stdout.close()

    def ask(self, path, body=None, *, timeout=20.0, headers=()):
        return ask(self.url, path, body, timeout=timeout, headers=headers)

    def version(self, environment="dev"):
        """Return the version it answers with, which is what it has heard of, not what is kept."""
        headers = {"X-Flagstaff-Environment": environment}
        body = {"context": {"targetingKey": "User:0"}}
        found = self.ask("/ofrep/v1/evaluate/flags", body, headers=headers)
        return found["metadata"]["version"]

    def actors(self, environment="dev"):
        found = self.ask(f"/api/v1/environments/{environment}/snapshot")
        return {*found["flags"][FLAG]["gates"].get("actors", ())}


def ask(url, path, body=None, *, timeout=20.0, headers=()):
    request = urllib.request.Request(  # noqa: S310 - our own servers
        url + path,
        data=json.dumps(body).encode() if body is not None else None,
        headers={
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "application/json",
            **dict(headers),
        },
    )
    with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - as above
        return json.load(answer)


def evaluate(url, number=0):
    """Ask for the flag by OFREP and return whether it is on for an actor."""
    body = {"context": {"targetingKey": f"User:{number}"}}
    headers = {"X-Flagstaff-Environment": "dev"}
    return ask(url, f"/ofrep/v1/evaluate/flags/{FLAG}", body, headers=headers)["value"]


def add_actor(url, number):
    """Add an actor in two environments by one command."""
    change = Actors(ids=(f"User:{number}",), value=True)
    command = SetFlag(flag=FLAG, environments=PLACES, change=change)
    assert ask(url, "/api/v1/commands", encode_command(command))["ok"] is True


class Writer:
    """Adds one actor after the other, at one replica after the other, and remembers the answers."""

    def __init__(self, replicas, numbers):
        self._replicas = itertools.cycle(replicas)
        self._numbers = numbers
        self.accepted, self.refused, self.slowest = [], [], 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()

    def _run(self):
        while not self._stopping.wait(0.02):
            number, replica = next(self._numbers), next(self._replicas)
            begun = time.monotonic()
            try:
                add_actor(replica.url, number)
            except urllib.error.HTTPError as exc:
                with exc:
                    self.refused.append((number, exc.code, json.load(exc)["code"]))
            except OSError as exc:
                self.refused.append((number, 0, type(exc).__name__))
            else:
                self.accepted.append(number)
            self.slowest = max(self.slowest, time.monotonic() - begun)


class Asker:
    """Does something again and again, and remembers what went wrong and how long it took."""

    def __init__(self, what, pause=0.05):
        self._what, self._pause = what, pause
        self.answers, self.problems, self.slowest = 0, [], 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join()

    def _run(self):
        while not self._stopping.wait(self._pause):
            begun = time.monotonic()
            try:
                self._what()
            except Exception as exc:  # noqa: BLE001 - whatever it is, the test wants to know
                self.problems.append(repr(exc))
            else:
                self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)


def within(seconds, condition):
    """Wait until the condition holds; return after how many seconds it did."""
    begun = time.monotonic()
    while True:
        with suppress(OSError):
            if condition():
                return time.monotonic() - begun
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.02)
