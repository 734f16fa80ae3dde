"""A server process of its own, for the clients of others to talk to."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import DeleteFlag, SetFlag

SCRIPT = """
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
def ready(url):
    print(url, flush=True)
serve(load_settings(root=sys.argv[1], port=0, engine=False), ready=ready)
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

    def set(self, flag, change, environment="production"):
        self._send(SetFlag(flag=flag, environments=(environment,), change=change))

    def forget(self, flag, environment="production"):
        self._send(DeleteFlag(flag=flag, environments=(environment,)))

    def audit(self, flag):
        with self._ask(f"/api/v1/audit?flag={flag}") as answer:
            return json.load(answer)

    def _send(self, command):
        with self._ask("/api/v1/commands", encode_command(command)) as answer:
            assert json.load(answer)["ok"]

    def _ask(self, path, body=None):
        request = urllib.request.Request(  # noqa: S310
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        return urllib.request.urlopen(request, timeout=30)  # noqa: S310


def define(root, name, more="", *, default=False):
    path = root / "config/feature_flags/ops" / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(DEFINITION.format(name=name, default=str(default).lower()) + more)


def run_server(root):
    """Yield a server of the project in `root`, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(root)], stdout=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        token = (root / ".flagstaff/token").read_text().strip()
        yield RealServer(url=url, token=token, root=root)
    finally:
        process.terminate()
        process.communicate(timeout=30)
