"""A server of ours with some flags, and a way to change them, for the benchmarks."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import Command, SetFlag
from flagstaff.flags.change import Boolean, PercentageOfActors
from flagstaff.flags.percentage import parse_percentage

FLAGS = 50
ENVIRONMENT = {"FLAGSTAFF_REQUEST_RATE": "0"}  # the peer's limits are lifted as well
SERVE = """
import sys
from time import monotonic
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
from flagstaff.services.services import Services
told, commits = Services.tell, open(sys.argv[1] + "/commits", "a", buffering=1)
def tell(services, names):
    if "flags:production" in names:
        print(monotonic(), file=commits)
    told(services, names)
Services.tell = tell  # what is the first to know of a commit
settings = load_settings(root=sys.argv[1], port=0, engine=False)
serve(settings, ready=lambda url: print(url, flush=True))
"""
DEFINITION = """\
name: flag_{number}
type: ops
default_enabled: false
bucketing: murmur3
group: group::navigation
milestone: "15.1"
introduced_by_url: https://example.com/1
"""


@dataclass(slots=True)
class Ours:
    """A running server."""

    url: str
    token: str
    root: Path
    process: subprocess.Popen[str]
    connection: http.client.HTTPConnection

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def resident(self) -> int:
        """Return its memory in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
        return int(line.split()[1])

    def commits(self) -> list[float]:
        """Return when each change was committed, by the clock that all processes share."""
        text = (self.root / "commits").read_text(encoding="ascii")
        return [float(line) for line in text.split()]

    def switch(self, *, on: bool) -> tuple[float, float]:
        """Change a flag; return when that was asked for and how long the answer took."""
        return self.send(
            SetFlag(flag="flag_1", environments=("production",), change=Boolean(value=on))
        )

    def send(self, command: Command) -> tuple[float, float]:
        """Have a command carried out."""
        body = json.dumps(encode_command(command))
        began = monotonic()
        self.connection.request(
            "POST",
            "/api/v1/commands",
            body,
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        answer = self.connection.getresponse()
        found = answer.read()
        assert answer.status == 200, found  # noqa: PLR2004 HTTP
        return began, monotonic() - began


@contextmanager
def serving() -> Iterator[Ours]:
    """Run a server with fifty flags, each open for half of all users, until the block is left."""
    with tempfile.TemporaryDirectory(prefix="flagstaff-bench-") as folder:
        root = Path(folder)
        (root / "flagstaff.yml").write_text("environments: [production]\n", encoding="utf-8")
        flags = root / "config" / "feature_flags" / "ops"
        flags.mkdir(parents=True)
        for number in range(1, FLAGS + 1):
            text = DEFINITION.format(number=number)
            (flags / f"flag_{number}.yml").write_text(text, encoding="utf-8")
        command = [sys.executable, "-c", SERVE, folder]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=_environment()
        ) as process:
            try:
                yield _ready(process, root)
            finally:
                process.terminate()


def _ready(process: subprocess.Popen[str], root: Path) -> Ours:
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url.startswith("http"), "the server did not start"
    token = (root / ".flagstaff" / "token").read_text(encoding="utf-8").strip()
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    ours = Ours(url, token, root, process, connection)
    half = PercentageOfActors(value=parse_percentage("50"))
    for number in range(1, FLAGS + 1):
        ours.send(SetFlag(flag=f"flag_{number}", environments=("production",), change=half))
    return ours


def _environment() -> dict[str, str]:
    return {**os.environ, **ENVIRONMENT}
