"""How many waiting jobs a second get another name, and is one lost or doubled over ten kills?

`--jobs N` chooses how many wait in a Redis of their own; `--no-kills` leaves out the kills. Each
run is the command itself, from its start to its end, on jobs of plain Celery with 200 bytes of
arguments: in their queue, and into another one. The kills are those of the tests, on Redis and on
RabbitMQ; there the last command is timed, which moves what the others have left.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TESTS = [
    f"tests/integration/workers/{name}.py" for name in ("test_migrate", "test_migrate_rabbitmq")
]
OLD, NEW = "shop.notify", "integrations.notify"
MOVE = ("--old-queue", "shop", "--new-queue", "integrations")
AT_ONCE = 1_000


def main() -> int:
    """Measure, print what was found as JSON, and return 1 if a job was lost or doubled."""
    parser = argparse.ArgumentParser(prog="workers_migrate")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--no-kills", action="store_true")
    chosen = parser.parse_args()
    with _redis() as url:
        rows = [_run(url, chosen.jobs, words) for words in ((), MOVE)]
    sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    right = all(row["right"] for row in rows)
    return 0 if right and (chosen.no_kills or _killed(chosen.jobs)) else 1


def _run(url: str, jobs: int, words: tuple[str, ...]) -> dict[str, Any]:
    import redis  # noqa: PLC0415 - an extra

    client = redis.Redis.from_url(url)
    client.flushall()
    ids = _fill(url, client, jobs)
    program = (sys.executable, "-m", "flagstaff", "workers", "migrate", OLD, NEW, *words)
    began = time.monotonic()
    done = subprocess.run(
        [*program, "--broker", url, "--force", "--json"], capture_output=True, check=True
    )
    seconds = time.monotonic() - began
    there = [
        json.loads(raw)["headers"] for raw in client.lrange(MOVE[3] if words else "shop", 0, -1)
    ]
    right = [each["id"] for each in there] == ids and {each["task"] for each in there} == {NEW}
    slowest = client.info("commandstats").get("cmdstat_evalsha", {})
    client.close()
    return {
        "jobs": json.loads(done.stdout)["jobs"],
        "to": "another queue" if words else "its own queue",
        "seconds": round(seconds, 2),
        "jobs_per_second": round(jobs / seconds),
        "ms_per_script": round(slowest.get("usec_per_call", 0) / 1_000, 2),
        "right": right,
    }


def _fill(url: str, client: Any, jobs: int) -> list[str]:
    """Let jobs wait, and return their ids, the newest first."""
    from celery import Celery  # noqa: PLC0415 - an extra

    app = Celery(broker=url, set_as_current=False)
    app.send_task(OLD, ("x" * 200,), queue="shop")
    raw = client.rpop("shop")
    app.close()
    task = json.loads(raw)["headers"]["id"]
    ids = [f"{number:036}" for number in range(jobs)]
    for start in range(0, jobs, AT_ONCE):
        some = ids[start : start + AT_ONCE]
        client.lpush("shop", *(raw.replace(task.encode(), each.encode()) for each in some))
    return ids[::-1]


def _killed(jobs: int) -> bool:
    told = os.environ | dict.fromkeys(
        ("FLAGSTAFF_MIGRATE", "FLAGSTAFF_MIGRATE_RABBITMQ"), str(jobs)
    )
    command = [sys.executable, "-m", "pytest", "-q", "-s", *TESTS, "-k", "killed"]
    root = Path(__file__).parent.parent
    return subprocess.run(command, check=False, cwd=root, env=told).returncode == 0


@contextmanager
def _redis() -> Iterator[str]:
    """Run a server of our own that keeps nothing."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        words = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder)
        server = subprocess.Popen(["redis-server", *words], stdout=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    sys.exit(main())
