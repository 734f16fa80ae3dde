"""How many jobs are lost or doubled when one is renamed under load, and how many without a rename?

`Soak.run` publishes at a steady rate to four workers, while their deployment and the flag change,
and counts afterwards what ran. With kills, workers are killed with `kill -9` after as many jobs as
a seed says, the same ones for plain Celery as for a rename.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
WORKERS = ("one", "two", "three", "four")
DEFINITION = """\
name: rename_step
type: worker
group: group::integrations
milestone: '15.1'
introduced_by_url: https://gitlab.example.com/a/b/-/merge_requests/1
default_enabled: false
"""
STAGES = ((0.20, 10), (0.30, 50), (0.40, 100), (0.60, 0), (0.70, 25), (0.80, 100))
"""From which part of the jobs on, and how many percent of them have the new name."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a run; `by` are the names that jobs ran under.

    `ended` of those that are doubled were the last of a worker that ended warm: on Redis, Celery
    may lose the word that such a job is done, and gives it to another worker, rename or not.
    """

    published: int
    lost: int
    doubled: int
    ended: int
    kills: int
    seconds: float
    by: Counter


@dataclass(kw_only=True)
class Soak:
    """One run.

    Attributes:
        folder: of this run, empty.
        broker: its address; `backend` where results are kept.
        renamed: whether a rename takes place; else it is plain Celery.
        every: seconds between two kills, about; 0 for none.
    """

    folder: Path
    broker: str
    backend: str
    jobs: int
    rate: float
    renamed: bool
    every: float = 0.0
    seed: int = 2026
    workers: dict = field(default_factory=dict)
    kills: int = 0
    number: int = 0
    last: set = field(default_factory=set)

    def run(self, patience=60.0):
        (self.folder / "flags/worker").mkdir(parents=True)
        (self.folder / "flags/worker/rename_step.yml").write_text(DEFINITION)
        self._share(0)
        for node in WORKERS:
            # Two of the deployment before the rename: they know the old name only.
            early = self.renamed and node in WORKERS[:2]
            self._start(node, "before" if early or not self.renamed else "after")
        self._wait_ready(WORKERS)
        began, jobs = time.monotonic(), None
        try:
            jobs = self._module()
            self._publish(jobs)
            self._settle(jobs, patience)
            by, counts = self._ran()
        finally:
            for node in list(self.workers):
                self._kill(node)
            if jobs is not None:
                jobs.app.close()
        return Result(
            published=self.number,
            lost=len({*range(1, self.number + 1)} - {*counts}),
            doubled=sum(counts.values()) - len(counts),
            ended=sum(counts[each] - 1 for each in self.last),
            kills=self.kills,
            seconds=time.monotonic() - began,
            by=by,
        )

    def _publish(self, jobs):
        chance = random.Random(self.seed)
        stages = list(STAGES if self.renamed else ())
        rolled = not self.renamed
        killed = self._planned()
        began = time.monotonic()
        while self.number < self.jobs:
            if not rolled and self.number > 0.1 * self.jobs:
                self._roll()
                rolled, began = True, time.monotonic() - self.number / self.rate
            while stages and self.number >= stages[0][0] * self.jobs:
                self._share(stages.pop(0)[1])
            while killed and self.number >= killed[0][0]:
                self._restart(killed.pop(0)[1])
            self._one(jobs, chance.random())
            ahead = began + self.number / self.rate - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)

    def _planned(self):
        """Return after how many jobs which worker is killed: the same with a rename as without."""
        chance, planned, at = random.Random(self.seed + 1), [], 0.15 * self.jobs
        while self.every and (at := at + self.every * self.rate * chance.uniform(0.5, 1.5)) < (
            self.jobs
        ):
            planned.append((at, chance.choice(WORKERS)))
        return planned

    def _one(self, jobs, draw):
        """Publish one job, or one canvas of several."""
        from celery import chain, chord  # noqa: PLC0415 after the settings are there

        step, other = jobs.step, jobs.other
        if draw < 0.6:
            step.delay(self._next())
        elif draw < 0.7:
            step.apply_async((self._next(),), countdown=1 + 10 * (draw - 0.6) * 2)
        elif draw < 0.78:
            step.delay(self._next(), again=1)
        elif draw < 0.86:
            step.apply_async((self._next(),), priority=int(draw * 1000) % 10)
        elif draw < 0.9:
            other.delay(self._next())
        elif draw < 0.95:
            chain(step.si(self._next()), other.si(self._next()), step.si(self._next())).delay()
        else:
            chord([step.si(self._next()) for _ in range(3)])(step.si(self._next()))

    def _next(self):
        self.number += 1
        return self.number

    def _module(self):
        """Load the application as producers do: those of the new deployment, where there is one."""
        deploy = "after" if self.renamed else "before"
        os.environ.update(self._environment(deploy))
        sys.path.insert(0, str(HERE))
        sys.modules.pop("soak_jobs", None)
        import soak_jobs  # noqa: PLC0415 it reads the environment

        sys.path.remove(str(HERE))
        # Producers wait for no results: what listens for them could not be closed in order.
        soak_jobs.app.backend.result_consumer.start = lambda *_, **__: None
        soak_jobs.app.backend.result_consumer.consume_from = lambda *_: None
        soak_jobs.app.set_current()
        return soak_jobs

    def _share(self, percent):
        """Open the flag so far, for producers and workers."""
        gates = {"percentage_of_actors": str(percent)} if 0 < percent < 100 else percent == 100
        made = self.folder / "state.new"
        made.write_text(json.dumps({"rename_step": gates}))
        made.replace(self.folder / "state.json")

    def _start(self, node, deploy):
        queues = "soak,other" if deploy == "before" else "soak,soaked,other"
        words = ("-l", "INFO", "--without-gossip", "--without-mingle", "-n", f"{node}@soak")
        words += ("-Q", queues, "-P", "prefork", "-c", "1")
        with (self.folder / f"{node}.log").open("w") as log:
            self.workers[node] = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "soak_jobs:app", "worker", *words],
                cwd=HERE,
                env=os.environ | self._environment(deploy),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_ready(self, nodes):
        end = time.monotonic() + 120
        while not all("ready." in (self.folder / f"{node}.log").read_text() for node in nodes):
            assert time.monotonic() < end, "workers do not start"
            time.sleep(0.1)

    def _roll(self):
        """Deploy the rename: each worker that does not know it ends warm, and a new one starts."""
        for node in WORKERS[:2]:
            process = self.workers.pop(node)
            process.terminate()
            process.wait(120)
            self.last |= {int(lines[-1].split()[1]) for lines in self._lines()}
            self._start(node, "after")
        self._wait_ready(WORKERS)

    def _restart(self, node):
        self._kill(node)
        self.kills += 1
        self._start(node, "after" if self.renamed else "before")

    def _kill(self, node):
        process = self.workers.pop(node)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)

    def _settle(self, jobs, patience):
        """Wait until everything has run, or nothing has for the time of `patience`."""
        last, since = -1, time.monotonic()
        while True:
            _, counts = self._ran()
            if len(counts) >= self.number:
                time.sleep(2.0)  # for what runs a second time
                return
            if len(counts) != last:
                last, since = len(counts), time.monotonic()
            if time.monotonic() - since > patience:
                return
            if self.every and self.broker.startswith("redis"):
                self._give_back(jobs)
            time.sleep(1.0)

    def _give_back(self, jobs):
        """Do what workers do every 100 seconds: give what killed ones held to the others."""
        with jobs.app.connection_for_write() as connection:
            connection.default_channel.qos.restore_visible(num=1000, interval=1)

    def _ran(self):
        by, counts = Counter(), Counter()
        for lines in self._lines():
            for line in lines:
                name, _, number = line.partition(" ")
                by[name] += 1
                counts[int(number)] += 1
        return by, counts

    def _lines(self):
        """Return what each process has run, in order."""
        read = [file.read_text().splitlines() for file in self.folder.glob("ran-*.txt")]
        return [lines for lines in read if lines]

    def _environment(self, deploy):
        return {
            "JOBS": str(self.folder),
            "BROKER": self.broker,
            "BACKEND": self.backend,
            "DEPLOY": deploy,
            "VISIBLE": "20" if self.every else "3600",
            "PYTHONWARNINGS": "ignore",
        }
