"""Does a worker that is killed in the middle of a job lose or double what plain Celery's would?

What comes of a kill depends on where in a job it falls, and by chance it rarely falls where it
hurts. So workers kill themselves at each place that a job passes, in plain Celery and with a
rename. `make bench ARGS=workers` has them do so for all kinds of jobs, `make test` for some.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections import defaultdict
from statistics import fmean, median
from uuid import uuid4

import pytest
from amqp.exceptions import ChannelError
from celery import chain, chord
from fleet import until
from soak_site import Site

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
]

NODE = "one"
SIDES = {"plain": ("before", 0), "old": ("after", 0), "new": ("after", 100)}
"""Each with its deployment, and how many percent of the jobs have the new name."""

BEFORE = ("received", "begins", "begun", "works")
AFTER = ("worked", "counted", "storing", "stored", "ends", "acknowledging", "acknowledged")
PUBLISHES = ("publishing", "published")
PLACES = {
    "single": BEFORE + AFTER,
    "later": BEFORE + AFTER,
    "again": BEFORE + AFTER + PUBLISHES,
    "chain": (*BEFORE, *AFTER, "decided", *PUBLISHES),
    "chord": (*BEFORE, *AFTER, "decided", *PUBLISHES, "counting part", "part counted"),
}
ON_REDIS = ("fetched", "noted")
BESIDE = {"begun": "begins", "counted": "worked", "decided": "publishing"}
"""Places that only a rename has, and those of plain Celery that come just before or after."""

WINDOWS = {"lost": ("fetched", "noted"), "doubled": ("worked", "acknowledged")}
"""Between which places a kill makes of a single job what."""

KINDS = os.environ.get("FLAGSTAFF_KILLED_KINDS", "chord").split(",")
TIMED_JOBS = int(os.environ.get("FLAGSTAFF_TIMED_JOBS", "40"))
IN_A_TURN = 40
ENDED = re.compile(r"\] (?:succeeded in|retry: Retry in)")


class Side:
    """One worker, the jobs that it gets, and how often each of them ran."""

    def __init__(self, site, deploy, percent):
        self.site, self._deploy = site, deploy
        site.share(percent)
        # What this one gives back was held by a worker that is dead.
        self.jobs = site.producer(deploy, visible=0)
        self._numbers = 0
        site.start(NODE, deploy)

    def publish(self, kind, place):
        """Publish jobs and have the worker killed at a place; return their numbers."""
        self.site.wait_ready([NODE])
        plain = self._deploy == "before"
        (self.site.folder / "kill-at").write_text(BESIDE.get(place, place) if plain else place)
        self.jobs.app.set_current()
        return {"single": self._single, "later": self._later, "again": self._again,
                "chain": self._chain, "chord": self._chord}[kind]()  # fmt: skip

    def _single(self):
        self.jobs.step.delay(number := self._next())
        return [number]

    def _later(self):
        self.jobs.step.apply_async((number := self._next(),), countdown=0.5)
        return [number]

    def _again(self):
        self.jobs.step.delay(number := self._next(), again=1)
        return [number]

    def _chain(self):
        numbers = [self._next() for _ in range(3)]
        step, other = self.jobs.step, self.jobs.other
        chain(step.si(numbers[0]), step.si(numbers[1]), other.si(numbers[2])).delay()
        return numbers

    def _chord(self):
        numbers = [self._next() for _ in range(4)]
        chord([self.jobs.step.si(each) for each in numbers[:3]])(self.jobs.step.si(numbers[3]))
        return numbers

    def _next(self):
        self._numbers += 1
        return self._numbers

    def run(self, count):
        """Let jobs run, one after the other, until the last is acknowledged."""
        self.jobs.app.set_current()
        for _ in range(count):
            self._single()
        until(lambda: sum(self.site.ran()[1].values()) == self._numbers and self._idle())
        time.sleep(0.1)  # until the last is acknowledged

    def passed(self):
        """Return when each place was passed, in order."""
        times = defaultdict(list)
        for file in self.site.folder.glob("passed-*.txt"):
            for line in file.read_text().splitlines():
                place, _, when = line.rpartition(" ")
                times[place].append(int(when))
        return times

    def recover(self):
        """Wait until the worker is dead, and start another."""
        process = self.site.workers[NODE]
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            pytest.fail(self.site.log(NODE).read_text())
        assert (self.site.folder / "killed-at").exists(), self.site.log(NODE).read_text()
        (self.site.folder / "killed-at").unlink()
        if self.site.broker.startswith("redis"):
            self.site.give_back(self.jobs)
        self.site.start(NODE, self._deploy)

    def settled(self):
        """Wait until the worker has had nothing to do for a while."""
        since = time.monotonic()
        while time.monotonic() - since < 1.0:
            if not self._idle():
                since = time.monotonic()
            time.sleep(0.1)

    def _idle(self):
        text = self.site.log(NODE).read_text()
        if "ready." not in text or text.count("] received") != len(ENDED.findall(text)):
            return False
        queues = ("soak", "other") if self._deploy == "before" else ("soak", "soaked", "other")
        return not any(self._waiting(queue) for queue in queues)

    def _waiting(self, queue):
        with self.jobs.app.connection_for_write() as connection:
            try:
                declared = connection.default_channel.queue_declare(queue, passive=True)
            except ChannelError:  # Redis knows no queue that is empty
                return 0
            return declared.message_count

    def close(self):
        self.site.close()
        if hasattr(self.jobs, "flags"):
            self.jobs.flags.close()
        self.jobs.app.close()


@pytest.fixture(params=["redis", "rabbitmq"])
def made(request, tmp_path, redis, redis_server):
    """Make the sides on one broker, with what is to be in the environment of their workers."""
    assert redis.dbsize() == 0
    sides = {}

    def make(**more):
        for number, (name, (deploy, percent)) in enumerate(SIDES.items()):
            if request.param == "redis":
                broker = redis_server.url(2 + number)
            else:
                broker = request.getfixturevalue("rabbit_server").place(uuid4().hex)
            (tmp_path / name).mkdir()
            site = Site(
                folder=tmp_path / name,
                broker=broker,
                backend=redis_server.url(6 + number),
                module="killed_jobs",
                more=more,
            )
            sides[name] = Side(site, deploy, percent)
        return request.param, sides

    yield make
    for side in sides.values():
        side.close()


def killed(sides, kind, place):
    """Have the workers of all sides killed, and return how often each job ran on each side."""
    numbers = {name: side.publish(kind, place) for name, side in sides.items()}
    for side in sides.values():
        side.recover()
    for side in sides.values():
        side.settled()
    ran = {name: side.site.ran()[1] for name, side in sides.items()}
    return {name: [ran[name][each] for each in numbers[name]] for name in sides}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_the_same_place_has_the_same_end_as_in_plain_celery(made, kind):
    broker, sides = made()
    found = {}
    for place in (*(ON_REDIS if broker == "redis" else ()), *PLACES[kind]):
        ran = found[place] = killed(sides, kind, place)
        print(f"{broker} {kind} {place}: {ran}", flush=True)  # noqa: T201 figures of the long form
    assert {
        place: ran for place, ran in found.items() if not ran["plain"] == ran["old"] == ran["new"]
    } == {}
    names = sides["new"].site.ran()[0]
    assert names["soaked.step"] > 0 == names["soak.step"]
    assert any(max(ran["plain"]) > 1 for ran in found.values())


def test_a_job_passes_each_place_once(made):
    """How long it is where a kill hurts is printed: so likely is it that one falls there."""
    broker, sides = made(TIMES="1")
    for side in sides.values():
        side.site.wait_ready([NODE])
    turns = TIMED_JOBS // IN_A_TURN
    for turn in range(turns):
        for number in range(len(SIDES)):
            sides[list(SIDES)[(number + turn) % len(SIDES)]].run(IN_A_TURN)
    for side in sides.values():
        side.site.stop(NODE)
    passed = {name: side.passed() for name, side in sides.items()}
    places = {*(ON_REDIS if broker == "redis" else ()), *PLACES["single"]}
    jobs = turns * IN_A_TURN
    for name, times in passed.items():
        mine = places - {*BESIDE} if name == "plain" else places
        assert {place: len(times[place]) for place in mine} == dict.fromkeys(mine, jobs)
    for what, (since, until_) in WINDOWS.items():
        if since in places:
            took = {name: spent(times, since, until_) for name, times in passed.items()}
            print(broker, what, ratios(took), flush=True)  # noqa: T201 figures of the long form


def spent(times, since, until_):
    """Return for how many nanoseconds each job was between two places, in each turn's mean."""
    took = [end - begin for begin, end in zip(times[since], times[until_], strict=True)]
    return [fmean(took[at : at + IN_A_TURN]) for at in range(0, len(took), IN_A_TURN)]


def ratios(took):
    """Return the microseconds of plain Celery, and how often longer each side took than it."""
    return f"{median(took['plain']) / 1e3:.0f} us" + "".join(
        f", {name} {median(mine / its for mine, its in zip(of, took['plain'], strict=True)):.3f}"
        for name, of in took.items()
    )
