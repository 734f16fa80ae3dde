"""A job with two names: its worker, and a program that publishes it.

`python guarded_jobs.py RATE [NUMBER]` publishes so many jobs a second until the file `stop` is
there, or so many as fast as it can, and prints how many it was. Of the jobs under the new name
`HARM` fail, under the old one 2 %, spread evenly; each takes `SLOW` seconds longer.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from celery import Celery

from flagstaff.workers import renames, watching

OLD, NEW = "shop.notify", "integrations.notify"
HARM = float(os.environ.get("HARM", "0.02"))
SLOW = float(os.environ.get("SLOW", "0"))

app = Celery("jobs", broker=os.environ["BROKER"], set_as_current=False)
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
owed = {OLD: 0.0, NEW: 0.0}


@app.task(name=OLD, shared=False, bind=True)
def notify(self, number):
    time.sleep(0.002 + (SLOW if self.name == NEW else 0.0))
    owed[self.name] += HARM if self.name == NEW else 0.02
    if owed[self.name] >= 1:
        owed[self.name] -= 1
        raise LookupError(f"{number}: its settings were forgotten")


watching.watch(app, job_log="log")
renames.declare(app, flag="rename_notify", old=OLD, new=NEW)


def main(rate, number=0):
    """Publish."""
    sent, task = 0, app.tasks[OLD]
    while not (sent >= number if number else Path("stop").exists()):
        task.delay(sent)
        sent += 1
        if not number:
            time.sleep(1 / rate)
    sys.stdout.write(f"{sent}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
