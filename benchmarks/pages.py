"""How long do the dashboard's pages take, with many flags and many rollouts under way?

A real server on the loopback, its engine looking at all the rollouts meanwhile, once it has begun
them all and rests. What counts is the time from the request to the last byte of the page, at the
median and at the 95th percentile; beside it stands the server's processor time for a page, which
other programs of the machine hardly change.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

TARGET = 0.1
REST, BUSY, PATIENCE = 3.0, 0.1, 300.0
"""Seconds looked at, the share of a processor that is rest, and seconds waited for it at most."""
DEFINITION = """\
name: {name}
type: development
default_enabled: false
group: group::shop
milestone: "15.1"
introduced_by_url: https://example.com/1
rollout_issue_url: https://example.com/2
"""
PLAN = """\
flag: {name}
announce_to: []
steps:
  - {{stage: Staging, set: {{boolean: true, environments: [dev, staging]}}}}
  - {{stage: Production, set: {{percentage_of_actors: 25}}}}
  - {{id: sure, approve: For everybody?}}
  - {{id: all, set: true}}
"""
FILTERED = "/flags?type=development&owner=shop&age=under-7d&seen=never&state=unset&sort=-age"
PAGES = (
    *("/", "/rollouts", "/rollouts/{rollout}", "/rollouts/{rollout}/plan", "/rollouts/new"),
    *(
        "/flags",
        "/flags?match=flag_01",
        FILTERED,
        "/flags/{flag}",
        "/workers",
        "/releases",
        "/clean-up",
    ),
    *(
        "/audit",
        "/audit?flag={flag}",
        "/settings",
        "/command",
        "/command/completions?line=feature+get+",
    ),
)
PARTS = ("/?part=body", "/rollouts/{rollout}?part=decide", "/flags/{flag}?part=state")


class Client:
    """One connection, as a browser keeps it."""

    def __init__(self, url: str, token: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
        self._token = token

    def post(self, command: dict[str, object]) -> dict[str, object]:
        """Carry out a command."""
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        self._connection.request("POST", "/api/v1/commands", json.dumps(command), headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status == HTTPStatus.OK, text
        return json.loads(text)["data"]

    def reconnect(self) -> None:
        """Begin another connection: the server gives up those that say nothing."""
        self._connection.close()

    def get(self, path: str) -> tuple[float, int]:
        """Return how long a page took, and its bytes."""
        began = time.perf_counter()
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - began
        assert answer.status == HTTPStatus.OK, (path, answer.status, text[:300])
        return took, len(text)


class Processor:
    """How long a process has been computing."""

    def __init__(self, pid: int) -> None:
        self._clock = (~pid << 3) | 2  # what clock_getcpuclockid(3) gives on Linux

    def seconds(self) -> float:
        """Return the processor time until now."""
        return time.clock_gettime(self._clock)

    def wait_for_rest(self) -> None:
        """Wait until the process computes next to nothing."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            before = self.seconds()
            time.sleep(REST)
            if self.seconds() - before < BUSY * REST:
                return
        raise TimeoutError(f"the server still computes after {PATIENCE:.0f} s")


@contextmanager
def serving(flags: int) -> Iterator[tuple[Client, Processor]]:
    """Serve a project of its own."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "config/feature_flags/development"
        folder.mkdir(parents=True)
        for number in range(flags):
            (folder / f"flag_{number:04}.yml").write_text(
                DEFINITION.format(name=f"flag_{number:04}")
            )
        (root / "flagstaff.yml").write_text("policies: {consistency: false}\n")
        words = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(root))
        for rest in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "Flags")):
            subprocess.run([*words, *rest], check=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "flagstaff", "server", "--port", "0", "--json"],
            cwd=root,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            token = (root / ".flagstaff/token").read_text().strip()
            yield Client(url, token), Processor(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def main() -> int:
    """Measure every page; 1 if a median is slower than the target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--flags", type=int, default=1000)
    parser.add_argument("--rollouts", type=int, default=200)
    parser.add_argument("--times", type=int, default=20)
    chosen = parser.parse_args()
    with serving(chosen.flags) as (client, processor):
        last: dict[str, object] = {}
        for number in range(chosen.rollouts):
            plan = PLAN.format(name=f"flag_{number:04}")
            last = client.post({"kind": "PlanRollout", "text": plan, "start": True})
        processor.wait_for_rest()
        client.reconnect()  # the server gives up connections that say nothing
        names = {"rollout": last["rollout"], "flag": last["flag"]}
        slow = 0
        load = os.getloadavg()[0]
        print(f"{chosen.flags} flags, {chosen.rollouts} rollouts; load {load:.1f}")
        print(f"{'page':44} {'median':>8} {'p95':>8} {'CPU':>8} {'kB':>6}")
        for page in (*PAGES, *PARTS):
            path = page.format(**names)
            client.get(path)
            began = processor.seconds()
            found = [client.get(path) for _ in range(chosen.times)]
            busy = (processor.seconds() - began) / chosen.times
            times = sorted(took for took, _ in found)
            median, p95 = statistics.median(times), times[int(0.95 * (len(times) - 1))]
            slow += median > TARGET
            mark = "" if median <= TARGET else "  slow"
            size = found[0][1] / 1e3
            figures = " ".join(f"{each * 1e3:5.0f} ms" for each in (median, p95, busy))
            print(f"{page:44} {figures} {size:6.0f}{mark}", flush=True)
    print(f"{slow} pages slower than {TARGET * 1e3:.0f} ms at the median")
    return 1 if slow else 0
