"""How is a real `flagstaff server` kept running that is killed, frozen and cut off?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path

from cluster import TOKEN, within

from kills.scripts import ENVIRONMENTS
from ports import free_port

SPEED = 60
"""Times faster than real; requests are known by their keys for 24 hours of that."""
MUTANT = """
import sys
sys.path[:0] = {path!r}
from kills import mutants
getattr(mutants, {name!r})()
from flagstaff.__main__ import main
sys.argv[0] = "flagstaff"
main()
"""
SETTINGS = """\
environments: {environments}
ramp: {{dwell: 30s}}
channels: {{production: "#production", team: "#team", support: "#support"}}
notify: {{webhook: "{webhook}"}}
"""


class Server:
    """One process after another at one address; whenever one ends, the next begins.

    Args:
        root: its project's folder.
        webhook: where it announces.
        database: empty for a file of its own.
        mutant: what is broken in it on purpose; see `mutants`.
        environment: further variables.
    """

    def __init__(self, root, *, webhook, flags, database="", mutant="", environment=None):
        self.root, self.name = root, root.name
        self.port = free_port()
        self.lives = 0
        self.frozen = False
        self.starting = 0.0  # seconds that the first start took
        self._begun = time.monotonic()
        self._mutant = mutant
        self._database = database
        self._environment = {**os.environ, **(environment or {})}
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._process = None
        self._keeper = threading.Thread(target=self._keep)
        folder = root / "config/feature_flags/development"
        folder.mkdir(parents=True)
        for flag in flags:
            definition = f"name: {flag}\ntype: development\ndefault_enabled: false\n"
            (folder / f"{flag}.yml").write_text(definition)
        settings = SETTINGS.format(environments=list(ENVIRONMENTS), webhook=webhook)
        (root / "flagstaff.yml").write_text(settings)
        (root / ".flagstaff").mkdir()
        (root / ".flagstaff/token").write_text(TOKEN)

    @property
    def log(self):
        return (self.root / "log").read_text()

    def start(self):
        self._begun = time.monotonic()
        self._keeper.start()

    def answers(self):
        """Return whether it is there."""
        with suppress(OSError), closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as there:
            there.request("GET", "/healthz")
            if there.getresponse().status == 200:
                self.starting = self.starting or time.monotonic() - self._begun
                return True
        return False

    def wait(self, seconds=120):
        within(seconds, self.answers)

    def kill(self):
        """Kill the process, whatever it is at."""
        with self._lock:
            self.frozen = False
            self._process.kill()

    def freeze(self):
        """Stop it in the middle of whatever it is at; `False` if it is so already."""
        with self._lock:
            if self.frozen:
                return False
            self.frozen = True
            self._process.send_signal(signal.SIGSTOP)
            return True

    def thaw(self):
        with self._lock:
            self.frozen = False
            self._process.send_signal(signal.SIGCONT)

    def stop(self):
        """End it in order, and let no other begin."""
        self._ended.set()
        self.thaw()
        self._process.terminate()
        self._keeper.join()

    def ask(self, path, body=None, *, key="", timeout=8.0):
        """Return the answer as JSON, with its status."""
        request = urllib.request.Request(  # noqa: S310 our own server
            self._url + "/api/v1" + path,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        if key:
            request.add_header("Idempotency-Key", key)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 as above
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, json.load(exc)

    @property
    def _url(self):
        return f"http://127.0.0.1:{self.port}"

    def _keep(self):
        with (self.root / "log").open("a") as log:
            while not self._ended.is_set():
                with self._lock:
                    self._process = subprocess.Popen(
                        self._command(), stdout=log, stderr=log, env=self._environment
                    )
                    self.lives += 1
                self._process.wait()
                self._ended.wait(0.02)

    def _command(self):
        here = Path(__file__).parent
        options = ["server", "--project", self.root, "--port", str(self.port)]
        options += ["--database", self._database] if self._database else []
        options += ["--speed", str(SPEED)]
        if not self._mutant:
            return [sys.executable, "-m", "flagstaff", *options]
        code = MUTANT.format(path=[str(here.parent), str(here.parent.parent)], name=self._mutant)
        return [sys.executable, "-c", code, *options]
