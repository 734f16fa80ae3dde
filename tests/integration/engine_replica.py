"""One engine as a process of its own, whose deeds outside are lines of a file."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from fakes import FakeRepository, FakeWorld, definitions_in
from flagstaff.definitions import Policies, Project
from flagstaff.engine.loop import Engine
from flagstaff.engine.procrastinate_driver import Pace, Procrastinate
from flagstaff.server.driving import SCHEMA
from flagstaff.services import running
from flagstaff.services.clock import SystemClock
from flagstaff.services.opening import conninfo
from flagstaff.services.replicas import Replicas
from flagstaff.services.services import Services
from flagstaff.services.unit import Context
from flagstaff.store.database import Database


class World(FakeWorld):
    """Writes down what it is asked to do, and takes its time where it is told to."""

    def __init__(self, folder, slow):
        super().__init__()
        self._folder, self._slow = folder, slow

    def perform(self, effect, plan):
        with (self._folder / "done").open("a") as lines:
            lines.write(f"{os.getpid()} {effect.key}\n")
        if self._slow:
            (self._folder / f"in-effect-{os.getpid()}").touch()
            time.sleep(self._slow)
        return super().perform(effect, plan)


def linger(folder, *, after):
    """Say that a change of production is about to be written, or is, and wait there to go on."""
    real = running.step

    def hold():
        (folder / f"in-set-{os.getpid()}").touch()
        end = time.monotonic() + 300
        while not (folder / "go-on").exists() and time.monotonic() < end:
            time.sleep(0.05)

    def step(unit, record, event):
        if not after:
            hold()
        moved = real(unit, record, event)
        if after:
            hold()
        return moved

    running.step = step


def by_jobs(url):
    """Return a driver that does next to nothing without its jobs."""
    pace = Pace(sweep=600.0, poll=0.2, heartbeat=1.0, stalled=3.0, again=0.5)
    place = conninfo(url, schema=SCHEMA)
    return Procrastinate(place, SCHEMA, SystemClock().wall, pace)


def main(folder, url, mode):
    folder = Path(folder)
    definitions = definitions_in(folder)
    context = Context(
        root=folder,
        project=Project(policies=Policies(consistency=False, allow_random=True)),
        definitions=lambda: definitions,
        repository=FakeRepository(),
    )
    services = Services(Database(url), context, SystemClock())
    if mode in {"before", "after", "before-jobs"}:
        linger(folder, after=mode == "after")
    replicas = Replicas(services)
    replicas.start()
    world = World(folder, 30.0 if mode == "slow" else 0.0)
    driver = by_jobs(url) if "jobs" in mode else None
    # What a lease ends for because the machine is busy is done twice, and that is no fault.
    term = timedelta(seconds=120 if mode.startswith("calm") else 2)
    engine = Engine(services, world, term=term, driver=driver)
    engine.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    engine.stop()
    replicas.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
