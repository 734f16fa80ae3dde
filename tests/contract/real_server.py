"""A server process of its own, for the clients of others to talk to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import DeleteFlag, SetFlag

SCRIPT = """
import json
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
told = {}
def ready(url):
    print(json.dumps({"url": url, **told}), flush=True)
settings = load_settings(**json.loads(sys.argv[1]))
serve(settings, ready=ready, also=told.__setitem__)
"""
EDGE = """
import sys
from flagstaff.server.edge.run import serve_edge
from flagstaff.server.edge.settings import EdgeSettings
folder, upstream, token_file = sys.argv[1:]
settings = EdgeSettings(
    upstream=upstream, token_file=token_file, folder=folder, port=0, environments="production,dev"
)
serve_edge(settings, ready=lambda url, remarks: print(url, flush=True))
"""
DEFINITION = """\
name: {name}
type: ops
default_enabled: {default}
group: group::navigation
milestone: "15.1"
introduced_by_url: https://example.com/1
"""


@dataclass(frozen=True, kw_only=True)
class RealServer:
    url: str
    token: str
    root: Path
    flagd: str = ""

    def set(self, flag, change, environment="production"):
        self.send(SetFlag(flag=flag, environments=(environment,), change=change))

    def forget(self, flag, environment="production"):
        self.send(DeleteFlag(flag=flag, environments=(environment,)))

    def audit(self, flag):
        with self._ask(f"/api/v1/audit?flag={flag}") as answer:
            return json.load(answer)

    def send(self, command):
        with self._ask("/api/v1/commands", encode_command(command)) as answer:
            found = json.load(answer)
        assert found["ok"]
        return found["data"]

    def _ask(self, path, body=None):
        request = urllib.request.Request(  # noqa: S310
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        try:
            return urllib.request.urlopen(request, timeout=30)  # noqa: S310
        except urllib.error.HTTPError as exc:
            raise AssertionError(exc.read().decode()) from exc


@dataclass(frozen=True, kw_only=True)
class RealEdge(RealServer):
    """An edge: asked at its own address, changed at the control plane's."""

    control: RealServer

    def send(self, command):
        found = self.control.send(command)
        self._wait(command.environments)
        return found

    def _ask(self, path, body=None):
        return self.control._ask(path, body)

    def _wait(self, environments):
        for environment in environments:
            path = f"/api/v1/environments/{environment}/snapshot"
            with self.control._ask(path) as answer:
                wanted = answer.headers["etag"]
            end = time.monotonic() + 30
            while (found := self._tag(path)) != wanted:
                assert time.monotonic() < end, f"the edge stays at {found}, not {wanted}"
                time.sleep(0.01)

    def _tag(self, path):
        with RealServer._ask(self, path) as answer:
            return answer.headers["etag"]


def define(root, name, more="", *, default=False):
    path = root / "config/feature_flags/ops" / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(DEFINITION.format(name=name, default=str(default).lower()) + more)


def run_server(root, **settings):
    """Yield a server of the project in `root`, and end it."""
    given = {"root": str(root), "port": 0, "engine": False, **settings}
    with _running(SCRIPT, json.dumps(given)) as line:
        token = (root / ".flagstaff/token").read_text().strip()
        yield RealServer(token=token, root=root, **json.loads(line))


def run_edge(control, folder):
    """Yield an edge of a server, which keeps its flags in `folder`, and end it."""
    with _running(EDGE, folder, control.url, control.root / ".flagstaff/token") as url:
        assert url.startswith("http://127.0.0.1:")
        yield RealEdge(url=url, token=control.token, root=control.root, control=control)


@contextmanager
def _running(script, *words):
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)
