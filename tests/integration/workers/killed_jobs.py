"""The jobs of a soak, in workers that kill themselves at the place that a file names.

With `TIMES` nothing is killed: it is written down when each place was passed.
"""

from __future__ import annotations

import os
import signal
import time
from functools import wraps

import soak_jobs
from celery import signals
from celery.backends.redis import RedisBackend
from kombu.message import Message
from kombu.messaging import Producer
from kombu.transport import redis as kombu_redis
from soak_jobs import FOLDER, app

from flagstaff.workers.counts import Counts
from flagstaff.workers.rename import Rename

__all__ = ["app"]

ORDER = FOLDER / "kill-at"
TIMED = "TIMES" in os.environ
passed = []

# One job at a time: where a second one is when its worker is killed is chance.
app.conf.worker_prefetch_multiplier = 1


def reach(place):
    """Kill this worker with all its processes, once, if it is to be killed here."""
    if TIMED:
        passed.append((place, time.monotonic_ns()))
        return
    try:
        if not place or ORDER.read_text() != place:
            return
        ORDER.rename(FOLDER / "killed-at")
    except FileNotFoundError:
        return
    os.killpg(os.getpgrp(), signal.SIGKILL)


def write_down(**_):
    lines = "".join(f"{place} {when}\n" for place, when in passed if place)
    (FOLDER / f"passed-{os.getpid()}.txt").write_text(lines)


def around(owner, name, *, before="", after=""):
    """Make what is before and after a function of Celery or of ours places to be killed at."""
    plain = getattr(owner, name)

    @wraps(plain)
    def wrapped(*args, **kwargs):
        reach(before)
        result = plain(*args, **kwargs)
        reach(after)
        return result

    setattr(owner, name, wrapped)


# Taken from the list, and not yet noted as held: what Redis cannot give back.
around(kombu_redis.Transport, "_deliver", before="fetched")
around(kombu_redis.QoS, "append", after="noted")
around(soak_jobs, "write", before="works", after="worked")
around(Producer, "publish", before="publishing", after="published")
around(RedisBackend, "_store_result", before="storing", after="stored")
around(RedisBackend, "on_chord_part_return", before="counting part", after="part counted")
around(Message, "ack", before="acknowledging", after="acknowledged")
around(Rename, "wanted", after="decided")
around(Counts, "began", after="begun")
around(Counts, "ended", after="counted")
signals.worker_process_init.connect(lambda **_: passed.clear(), weak=False)
signals.worker_process_shutdown.connect(write_down, weak=False)
signals.worker_shutdown.connect(write_down, weak=False)
signals.task_received.connect(lambda **_: reach("received"), weak=False)
signals.task_prerun.connect(lambda **_: reach("begins"), weak=False)
signals.task_postrun.connect(lambda **_: reach("ends"), weak=False)
