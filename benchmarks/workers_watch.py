"""What does watching cost a job, where it is published and where it runs, next to plain Celery?

CPU time of the same number of jobs on the same Redis: published in turns by one process, run in
turns by a worker of each side, of which the others are stopped meanwhile, so that each meets the
same machine. Ours reports to a real server and looks into its queue, by the clock: a turn takes
some seconds, so that it does so as often as a worker that is never stopped. The jobs do nothing, so
that all of it is Celery's work and ours. A process that begins anew may be some hundredths quicker
or slower than the one before, so there are several rounds; they are long, for what a process does
once counts as well.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
JOBS = "benchmarks.workers_watch_jobs"
SIDES = ("plain", "watched", "renamed")
TARGETS = {"enqueue": 1.10, "execution": 1.03}
WORKER = ["-P", "solo", "-l", "ERROR", "--without-gossip", "--without-mingle"]
TURN = 2_500
"""Jobs that a worker runs before it is the next one's turn."""

WARM = 1
"""Turns that a worker begins with, and that do not count."""

SERVE = """
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
serve(load_settings(root=sys.argv[1], port=0), ready=lambda url: print(url, flush=True))
"""


def main() -> int:
    """Measure, print what was found as JSON, and return 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="workers_watch")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=30_000)
    chosen = parser.parse_args()
    rounds: list[dict[str, dict[str, dict[str, float]]]] = []
    with tempfile.TemporaryDirectory() as folder, _running(Path(folder)) as environment:
        there = {**environment, "JOBS": str(chosen.jobs)}
        for _ in range(chosen.rounds):
            enqueue = _enqueue(there)
            rounds.append({"enqueue": enqueue, "execution": _execute(there)})
    rows = {
        kind: {
            f"{side} {unit}": round(statistics.median(each[kind][unit][side] for each in rounds), 3)
            for unit in ("us", "ratio")
            for side in SIDES
        }
        for kind in TARGETS
    }
    sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    missed = [
        kind
        for kind, limit in TARGETS.items()
        if any(rows[kind][f"{side} ratio"] > limit for side in SIDES)
    ]
    return 1 if missed else 0


def _enqueue(environment: dict[str, str]) -> dict[str, dict[str, float]]:
    """Publish the jobs of all sides in one process, which takes the times."""
    done = subprocess.run(
        [sys.executable, "-m", JOBS],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=600,
    )
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def _execute(environment: dict[str, str]) -> dict[str, dict[str, float]]:
    """Let a worker of each side run jobs that wait, in turns; return the medians of the turns."""
    import redis  # noqa: PLC0415 - an extra

    clients = {n: redis.Redis.from_url(f"{environment['BROKER']}/{i}") for i, n in enumerate(SIDES)}
    workers = {}
    turns = int(environment["JOBS"]) // TURN - WARM - 2
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    try:
        for side in SIDES:
            workers[side] = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", f"{JOBS}:app", "worker", *WORKER],
                env={**environment, "SIDE": side},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _until(clients[side], clients[side].llen("celery") - WARM * TURN)
            workers[side].send_signal(signal.SIGSTOP)
        for number in range(turns):
            turn = number % len(SIDES)
            for side in SIDES[turn:] + SIDES[:turn]:
                times[side].append(_turn(workers[side], clients[side]))
    finally:
        for worker in workers.values():
            worker.kill()
            worker.wait(60)
        for client in clients.values():
            client.flushdb()
            client.close()
    pairs = {
        side: [a / b for a, b in zip(times[side], times["plain"], strict=True)] for side in SIDES
    }
    return {
        "us": {side: statistics.median(found) for side, found in times.items()},
        "ratio": {side: statistics.median(found) for side, found in pairs.items()},
    }


def _turn(worker: subprocess.Popen[bytes], client: Any) -> float:
    """Let a worker run some hundred jobs; return the microseconds of CPU that each took."""
    before, waiting = _cpu(worker.pid), client.llen("celery")
    worker.send_signal(signal.SIGCONT)
    _until(client, waiting - TURN)
    worker.send_signal(signal.SIGSTOP)
    return (_cpu(worker.pid) - before) / (waiting - client.llen("celery")) * 1e6


def _until(client: Any, left: int) -> None:
    """Return once no more jobs than so many wait."""
    while client.llen("celery") > left:
        time.sleep(0.002)


def _cpu(pid: int) -> float:
    """Return the seconds of CPU of a process and its threads."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9


@contextmanager
def _running(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Redis and a server, and return the environment that knows both."""
    definition = folder / "config/feature_flags/worker/rename.yml"
    definition.parent.mkdir(parents=True)
    definition.write_text("name: rename\ntype: worker\ndefault_enabled: false\n")
    (folder / "flagstaff.yml").write_text("")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        with broker_in(folder) as environment:
            yield {
                **environment,
                "FLAGSTAFF_URL": server.stdout.readline().strip(),
                "FLAGSTAFF_ENVIRONMENT": "production",
                "FLAGSTAFF_TOKEN_FILE": str(folder / ".flagstaff/token"),
                "FLAGSTAFF_CACHE_DIR": str(folder / "cache"),
            }
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def broker_in(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Redis, and return an environment in which the jobs know it."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    broker = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield {
            **os.environ,
            "BROKER": f"redis://127.0.0.1:{port}",
            "PYTHONPATH": str(HERE.parent),
            "PYTHONWARNINGS": "ignore",
            "PYTHONHASHSEED": "0",
        }
    finally:
        broker.terminate()
        broker.wait(30)
