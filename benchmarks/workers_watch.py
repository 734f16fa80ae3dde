"""What does watching cost a job, where it is published and where it runs, next to plain Celery?

CPU time of the same number of jobs on the same Redis: published in turns by one process, run by
workers of all sides at the same time, so that each meets the same machine. Ours reports to a real
server. The jobs do nothing, so that all of it is Celery's work and ours.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
JOBS = "benchmarks.workers_watch_jobs"
SIDES = ("plain", "watched", "renamed")
TARGETS = {"enqueue": 1.10, "execution": 1.03}
TICKS = os.sysconf("SC_CLK_TCK")
SERVE = """
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
serve(load_settings(root=sys.argv[1], port=0), ready=lambda url: print(url, flush=True))
"""


def main() -> int:
    """Measure, print what was found as JSON, and return 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="workers_watch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=15_000)
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
    """Let one worker of each side run the jobs that wait, all at the same time."""
    import redis  # noqa: PLC0415 - an extra

    words = ["-P", "solo", "-l", "ERROR", "--without-gossip", "--without-mingle"]
    clients = [redis.Redis.from_url(f"{environment['BROKER']}/{n}") for n in range(len(SIDES))]
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", f"{JOBS}:app", "worker", *words],
            env={**environment, "SIDE": side},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for side in SIDES
    ]
    total = int(environment["JOBS"])
    times: dict[str, float] = {}
    try:
        began = dict.fromkeys(SIDES, (0.0, 0))
        while len(times) < len(SIDES):
            time.sleep(0.005)
            for side, client, worker in zip(SIDES, clients, workers, strict=True):
                left = client.llen("celery")
                if not began[side][1] and left < total * 0.9:  # it is warm
                    began[side] = (_cpu(worker.pid), left)
                elif side not in times and left < total * 0.1:
                    spent = _cpu(worker.pid) - began[side][0]
                    times[side] = spent / (began[side][1] - left) * 1e6
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait(60)
        clients[0].flushall()
        for client in clients:
            client.close()
    return {"us": times, "ratio": {side: times[side] / times["plain"] for side in SIDES}}


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def _running(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Redis and a server, and return the environment that knows both."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    definition = folder / "config/feature_flags/worker/rename.yml"
    definition.parent.mkdir(parents=True)
    definition.write_text("name: rename\ntype: worker\ndefault_enabled: false\n")
    (folder / "flagstaff.yml").write_text("")
    broker = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield {
            **os.environ,
            "BROKER": f"redis://127.0.0.1:{port}",
            "FLAGSTAFF_URL": server.stdout.readline().strip(),
            "FLAGSTAFF_ENVIRONMENT": "production",
            "FLAGSTAFF_TOKEN_FILE": str(folder / ".flagstaff/token"),
            "FLAGSTAFF_CACHE_DIR": str(folder / "cache"),
            "PYTHONPATH": str(HERE.parent),
            "PYTHONWARNINGS": "ignore",
        }
    finally:
        for process in (server, broker):
            process.terminate()
            process.wait(30)
