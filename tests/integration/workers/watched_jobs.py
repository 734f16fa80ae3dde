"""Jobs of a shop whose application is watched, and one of them renamed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from celery import Celery

from flagstaff.workers import renames, watching

FOLDER = Path(os.environ["JOBS"])
BROKEN = os.environ.get("BROKEN") == "1"
OLD, NEW = "shop.notify", "integrations.notify"

app = Celery("watched", broker=os.environ["BROKER"], backend=os.environ.get("BACKEND"))
app.conf.update(
    task_default_queue="shop",
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_max_tasks_per_child=int(os.environ.get("CHILD", "0")) or None,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"polling_interval": 0.05},
    task_acks_late=os.environ.get("LATE") == "1",
)
FIRST, RATE = float(os.environ.get("DEFER", "300")), float(os.environ.get("RATE", "10"))
watching.watch(app, deferral=watching.Deferral(first=FIRST, longest=2.0, rate=RATE))
renames.declare(
    app, flag="rename_notify", old=OLD, new=NEW, old_queue="shop", new_queue="integrations"
)


@app.task(name=OLD, shared=False, bind=True, max_retries=5)
def notify(self, number):
    """Fail for each tenth, and each seventh at its first try."""
    write({"name": self.name, "number": number, "try": self.request.retries})
    if number % 10 == 0 or (BROKEN and self.name == NEW and number % 3):
        raise ValueError(number)
    if number % 7 == 0 and not self.request.retries:
        raise self.retry(countdown=0.05)
    return number


@app.task(name="shop.hold", shared=False)
def hold(file):
    """Run until a file is gone."""
    write({"name": "shop.hold", "number": file})
    while (FOLDER / file).exists():
        time.sleep(0.02)


@app.task(name="shop.switch", shared=False)
def switch(task):
    """Write down what this process would do with a job of a name, and whether it has a switch."""
    found = watching.watched(app).switches
    known = {"has": found.has(task), "action": found.action(task, "of nobody")}
    write({"name": "shop.switch", "number": task, "process": os.getpid(), **known})
    time.sleep(0.1)  # so that another child takes the next


def wait_on():
    """Return once this process knows that the flag is on."""
    end = time.monotonic() + 120
    flags = watching.late_flags().connect()
    while not flags.is_enabled("rename_notify", "Job:of nobody"):
        assert time.monotonic() < end, "it does not hear that the flag is on"
        time.sleep(0.02)


@app.task(name="shop.add", shared=False)
def add(number):
    write({"name": "shop.add", "number": number})


def write(line):
    file = os.open(FOLDER / f"ran-{os.getpid()}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (json.dumps({**line, "at": time.time()}) + "\n").encode())
    os.close(file)
