"""The jobs of `workers_watch`, plain, watched or with a rename declared; run, it publishes them.

With `ALONE` no server is asked about the flag and nothing goes by the clock: one side is published,
and its worker ends with the last job.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import Any

from celery import Celery

from flagstaff import Client
from flagstaff.workers import renames, watching

SIDES = ("plain", "watched", "renamed")
BLOCK = 50
ALONE = "ALONE" in os.environ
LAST = -1


def make(side: str) -> Celery:
    """Return the application of one side; each has a database of its own in Redis."""
    broker = os.environ.get("BROKER", "memory://")
    made = Celery(side, broker=f"{broker}/{SIDES.index(side)}", set_as_current=False)
    made.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
    made.task(name="shop.nothing", shared=False)(_nothing)
    client = Client.memory({"rename": False}) if ALONE else None
    if side == "watched":
        watching.watch(made, client=client)
    elif side == "renamed":
        renames.declare(made, flag="rename", old="shop.nothing", new="other.nothing", client=client)
    watch = watching.watched(made)
    if ALONE and watch is not None:
        watch.looker.start = _start_nothing  # type: ignore[method-assign]
    return made


def _start_nothing() -> None:
    """Start nothing."""


def _nothing(number: int) -> None:
    """Do nothing."""
    if number == LAST:
        os._exit(0)


def main() -> None:
    """Publish in turns, a block each, and print the microseconds of CPU that a job took."""
    if ALONE:
        task = make(os.environ["SIDE"]).tasks["shop.nothing"]
        for number in (*range(int(os.environ["JOBS"])), LAST):
            task.delay(number)
        return
    apps = {side: make(side) for side in SIDES}
    blocks: dict[str, list[float]] = {side: [] for side in SIDES}
    rounds = int(os.environ["JOBS"]) // BLOCK
    for number in range(rounds):
        turn = number % len(SIDES)
        for side in SIDES[turn:] + SIDES[:turn]:  # so that none is always first
            blocks[side].append(_block(apps[side]))
    warm = {side: times[rounds // 10 :] for side, times in blocks.items()}
    pairs = {
        side: [a / b for a, b in zip(warm[side], warm["plain"], strict=True)] for side in SIDES
    }
    found = {
        "us": {side: statistics.median(times) for side, times in warm.items()},
        "ratio": {side: statistics.median(ratios) for side, ratios in pairs.items()},
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _block(app: Any) -> float:
    task = app.tasks["shop.nothing"]
    began = time.process_time()
    for number in range(BLOCK):
        task.delay(number)
    return (time.process_time() - began) / BLOCK * 1e6


if __name__ == "__main__":
    main()
else:
    app = make(os.environ.get("SIDE", "plain"))
