"""How many jobs are lost or doubled when one is renamed under load, and how many without a rename?

`Soak.run` publishes at a steady rate to four workers, while their deployment and the flag change,
and counts afterwards what ran. With kills, workers are killed with `kill -9` after as many jobs as
a seed says, the same ones for plain Celery as for a rename.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field

from soak_site import Site

WORKERS = ("one", "two", "three", "four")
STAGES = ((0.20, 10), (0.30, 50), (0.40, 100), (0.60, 0), (0.70, 25), (0.80, 100))
"""From which part of the jobs on, and how many percent of them have the new name."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a run; `by` are the names that jobs ran under.

    `ended` of those that are doubled were the last of a worker that ended warm: on Redis, Celery
    may lose the word that such a job is done, and gives it to another worker, rename or not.
    `late` is by how many seconds a job was at most published after its time: where that is more
    than a little the machine had too much to do, and two runs were not under the same load.
    """

    published: int
    lost: int
    doubled: int
    ended: int
    kills: int
    seconds: float
    late: float
    by: Counter


@dataclass(kw_only=True)
class Soak:
    """One run.

    Attributes:
        site: where it takes place; nothing has run there.
        jobs: how many are published, and at which `rate` in a second.
        renamed: whether a rename takes place; else it is plain Celery.
        every: seconds between two kills, about; 0 for none.
    """

    site: Site
    jobs: int
    rate: float
    renamed: bool
    every: float = 0.0
    seed: int = 2026
    kills: int = 0
    number: int = 0
    late: float = 0.0
    last: set = field(default_factory=set)

    def run(self, patience=60.0):
        for node in WORKERS:
            # Two of the deployment before the rename: they know the old name only.
            self.site.start(node, "before" if node in WORKERS[:2] else self._deploy())
        self.site.wait_ready(WORKERS)
        began, jobs = time.monotonic(), None
        try:
            jobs = self.site.producer(self._deploy())
            self._publish(jobs)
            self._settle(jobs, patience)
            by, counts = self.site.ran()
        finally:
            self.site.close()
            if jobs is not None:
                jobs.app.close()
        return Result(
            published=self.number,
            lost=len({*range(1, self.number + 1)} - {*counts}),
            doubled=sum(counts.values()) - len(counts),
            ended=sum(counts[each] - 1 for each in self.last),
            kills=self.kills,
            seconds=round(time.monotonic() - began, 1),
            late=round(self.late, 2),
            by=by,
        )

    def _publish(self, jobs):
        chance = random.Random(self.seed)
        stages = list(STAGES if self.renamed else ())
        rolled, killed = False, self._planned()
        began = time.monotonic()
        while self.number < self.jobs:
            if not rolled and self.number > 0.1 * self.jobs:
                self._roll()
                rolled, began = True, time.monotonic() - self.number / self.rate
            while stages and self.number >= stages[0][0] * self.jobs:
                self.site.share(stages.pop(0)[1])
            while killed and self.number >= killed[0][0]:
                self._restart(killed.pop(0)[1])
            self._one(jobs, chance.random())
            ahead = began + self.number / self.rate - time.monotonic()
            self.late = max(self.late, -ahead)
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

    def _deploy(self):
        return "after" if self.renamed else "before"

    def _roll(self):
        """Deploy: each worker of the deployment before ends warm, and a new one starts."""
        for node in WORKERS[:2]:
            self.site.stop(node)
            self.last |= {int(lines[-1].split()[1]) for lines in self.site.lines()}
            self.site.start(node, self._deploy())
        self.site.wait_ready(WORKERS)

    def _restart(self, node):
        self.site.kill(node)
        self.kills += 1
        self.site.start(node, self._deploy())

    def _settle(self, jobs, patience):
        """Wait until everything has run, or nothing has for the time of `patience`."""
        last, since = -1, time.monotonic()
        while True:
            _, counts = self.site.ran()
            if len(counts) >= self.number:
                time.sleep(2.0)  # for what runs a second time
                return
            if len(counts) != last:
                last, since = len(counts), time.monotonic()
            if time.monotonic() - since > patience:
                return
            if self.every and self.site.broker.startswith("redis"):
                self.site.give_back(jobs)
            time.sleep(1.0)
