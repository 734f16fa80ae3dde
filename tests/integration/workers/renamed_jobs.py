"""Jobs of a shop, as they were (`DEPLOY=before`) and with a rename declared (`DEPLOY=after`)."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from celery import Celery, chord
from kombu import Exchange, Queue

from flagstaff import Client
from flagstaff.workers import renames

FOLDER = Path(os.environ["JOBS"])
OLD, NEW = "shop.notify", "integrations.notify"
OLD_QUEUE, NEW_QUEUE = "shop", "integrations"
QUORUM = {"x-queue-type": "quorum"}

app = Celery("jobs", broker=os.environ["BROKER"], backend=os.environ.get("BACKEND"))
app.conf.update(
    task_default_queue=OLD_QUEUE,
    worker_prefetch_multiplier=int(os.environ.get("PREFETCH", "1")),
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"polling_interval": 0.05},
    task_acks_late=os.environ.get("LATE") == "1",
)
if os.environ.get("QUORUM") == "1":  # with native delayed delivery
    app.conf.update(
        task_default_queue_type="quorum",
        task_default_exchange_type="topic",
        task_queues=[
            Queue(each, Exchange(each, type="topic"), each, queue_arguments=QUORUM)
            for each in (OLD_QUEUE, NEW_QUEUE)
        ],
    )
if os.environ.get("RATE"):
    app.conf.task_annotations = {"*": {"rate_limit": os.environ["RATE"]}}


@app.task(name=OLD, shared=False, bind=True, max_retries=5)
def notify(self, number, fail=0, hold="", wait=0.05, seen=False):  # noqa: FBT002 of a job
    """Write down who ran; fail so many times; hold until a file is gone, or the flag seen on."""
    header = self.request.get("flagstaff") or {}
    line = {
        "name": self.name,
        "number": number,
        "try": self.request.retries,
        "queue": self.request.delivery_info["routing_key"],
        "variant": header.get("variant"),
    }
    write(line)
    while hold and (FOLDER / hold).exists():
        time.sleep(0.02)
    while seen and not flags.is_enabled("rename_notify"):
        time.sleep(0.02)
    if self.request.retries < fail:
        raise self.retry(countdown=wait)
    return number


@app.task(name="shop.collect", shared=False)
def collect(numbers):
    write({"name": "shop.collect", "number": numbers})


@app.task(name="shop.hold", shared=False)
def hold(file):
    """Run, whatever follows, until a file is gone."""
    write({"name": "shop.hold", "number": file})
    while (FOLDER / file).exists():
        time.sleep(0.02)


@app.task(name="shop.fan_out", shared=False)
def fan_out(numbers):
    """Build canvas inside a job, with the name as it was."""
    chord([notify.si(number) for number in numbers])(collect.s())


@app.task(name="shop.totals", shared=False)
def totals():
    write({"name": "totals", "number": {f"{c.name} {c.event}": c.value for c in renames.totals()}})


def write(line):
    file = os.open(FOLDER / f"ran-{os.getpid()}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (json.dumps(line) + "\n").encode())
    os.close(file)


if os.environ.get("DEPLOY") == "after":
    flags = Client.from_files(FOLDER / "flags", state=FOLDER / "state.json", watch=0.05)
    renames.declare(
        app,
        flag="rename_notify",
        old=OLD,
        new=NEW,
        old_queue=OLD_QUEUE,
        new_queue=NEW_QUEUE,
        client=flags,
    )
if os.environ.get("BEAT") == "1":
    app.conf.beat_schedule = {"every-day": {"task": OLD, "schedule": 86_400.0, "args": (0,)}}
