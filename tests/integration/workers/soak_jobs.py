"""Jobs of a soak: as they were (`DEPLOY=before`), and with a rename declared (`DEPLOY=after`)."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery
from kombu import Queue

from flagstaff import Client
from flagstaff.workers import renames

FOLDER = Path(os.environ["JOBS"])
OLD, NEW = "soak.step", "soaked.step"
OLD_QUEUE, NEW_QUEUE, OTHER = "soak", "soaked", "other"
HIGHEST = 10

app = Celery("soak", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(
    task_queues=[
        Queue(name, routing_key=name, queue_arguments={"x-max-priority": HIGHEST})
        for name in (OLD_QUEUE, NEW_QUEUE, OTHER)
    ],
    task_default_queue=OLD_QUEUE,
    task_routes={"soak.other": {"queue": OTHER}},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=4,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    # What a killed worker held is given to another after this time, on Redis; RabbitMQ sees it.
    broker_transport_options={
        "polling_interval": 0.05,
        "visibility_timeout": int(os.environ.get("VISIBLE", "3600")),
        "unacked_restore_limit": 1000,
    }
    if os.environ["BROKER"].startswith("redis")
    else {"confirm_publish": True},
)


@app.task(name=OLD, shared=False, bind=True, max_retries=5)
def step(self, number, again=0):
    """Write down that the job ran, the last time it was to be tried."""
    if self.request.retries < again:
        raise self.retry(countdown=0.2)
    write(self.name, number)
    return number


@app.task(name="soak.other", shared=False)
def other(number):
    write("soak.other", number)


def write(name, number):
    file = os.open(FOLDER / f"ran-{os.getpid()}.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{name} {number}\n".encode())
    os.close(file)


if os.environ.get("DEPLOY") == "after":
    flags = Client.from_files(FOLDER / "flags", state=FOLDER / "state.json", watch=0.1)
    renames.declare(
        app,
        flag="rename_step",
        old=OLD,
        new=NEW,
        old_queue=OLD_QUEUE,
        new_queue=NEW_QUEUE,
        client=flags,
    )
