"""Does a worker that is killed in the middle of a job lose or double what plain Celery's would?

What comes of a kill depends on where in a job it falls, and by chance it rarely falls where it
hurts. So workers kill themselves at each place that a job passes, in plain Celery and with a
rename. `make bench ARGS=workers` has them do so for all kinds of jobs, `make test` for some.
"""

from __future__ import annotations

import os
import re
import time
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

KINDS = os.environ.get("FLAGSTAFF_KILLED_KINDS", "chord").split(",")
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

    def recover(self):
        """Wait until the worker is dead, and start another."""
        process = self.site.workers[NODE]
        until(lambda: process.poll() is not None)
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
def sides(request, tmp_path, redis, redis_server):
    assert redis.dbsize() == 0
    made = {}
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
        )
        made[name] = Side(site, deploy, percent)
    yield made
    for side in made.values():
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
def test_a_kill_at_the_same_place_has_the_same_end_as_in_plain_celery(sides, kind):
    broker = sides["plain"].site.broker.partition(":")[0]
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
