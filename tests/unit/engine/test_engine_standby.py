"""Does one server run the rollouts at a time, and does the next go on when it must?"""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from fakes import FakeWorld, plan_of, turn_on
from flagstaff.engine.loop import Engine as RealEngine
from flagstaff.engine.standby import Standby
from flagstaff.errors import Unavailable
from flagstaff.rollouts.plan import Announce
from flagstaff.rollouts.rollout import Phase
from flagstaff.services.services import EVERYTHING

PATIENCE = 30


class Claim:
    def __init__(self):
        self.good, self.released = True, threading.Event()

    def holds(self):
        return self.good

    def is_sure(self):
        return self.good

    def release(self):
        self.released.set()


class Engine:
    """Notes what is done with it."""

    def __init__(self, may_run):
        self.may_run = may_run
        self.started, self.stopped = threading.Event(), threading.Event()

    def start(self):
        self.started.set()

    def stop(self):
        self.stopped.set()


class Lab:
    """A standby whose turn comes when the test says so."""

    def __init__(self):
        self.answers = []
        self.asked = threading.Semaphore(0)
        self.engines = []
        self.made = threading.Semaphore(0)
        self.standby = Standby(self.take, self.make, look_every=0.01)

    def take(self):
        self.asked.release()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def make(self, may_run):
        self.engines.append(Engine(may_run))
        self.made.release()
        return self.engines[-1]

    @contextmanager
    def running(self):
        self.standby.start()
        try:
            yield
        finally:
            self.standby.stop()


@pytest.fixture
def lab():
    return Lab()


def test_who_has_the_claim_from_the_start_runs(lab):
    claim = Claim()
    lab.answers = [claim]
    assert lab.standby.claim()
    with lab.running():
        assert lab.made.acquire(timeout=PATIENCE)
        (engine,) = lab.engines
        assert engine.started.wait(PATIENCE)
        assert engine.may_run()
    assert engine.stopped.is_set()
    assert claim.released.is_set()
    assert not lab.standby.runs


def test_who_has_not_waits_for_its_turn_also_while_the_database_is_away(lab):
    lab.answers = [None, None, Unavailable("gone"), None, Claim()]
    assert not lab.standby.claim()
    with lab.running():
        assert lab.made.acquire(timeout=PATIENCE)
        assert lab.standby.runs
    assert lab.answers == []


def test_who_loses_it_stops_first_and_then_tries_again(lab):
    first, second = Claim(), Claim()
    lab.answers = [first]
    with lab.running():
        assert lab.made.acquire(timeout=PATIENCE)
        lab.answers = [None, second]
        first.good = False
        assert lab.engines[0].stopped.wait(PATIENCE)
        assert not lab.engines[0].may_run()
        assert first.released.wait(PATIENCE)
        assert lab.made.acquire(timeout=PATIENCE)
        assert not second.released.is_set()
    assert len(lab.engines) == 2


def test_stopping_one_that_never_ran_gives_the_claim_back(lab):
    claim = Claim()
    lab.answers = [claim]
    assert lab.standby.claim()
    lab.standby.stop()
    assert claim.released.is_set()


HELLO = Announce(channels=("#ops",), text="Hello")


def test_an_engine_that_may_not_run_moves_nothing_and_does_nothing(services, added, look):
    may_run = [True]
    world = FakeWorld()
    engine = RealEngine(services, world, may_run=lambda: may_run[0])
    number = added(plan_of(turn_on("dev"), HELLO))
    may_run[0] = False
    engine.tick()
    assert look(number).rollout.current.id == look(number).rollout.plan.steps[0].id
    may_run[0] = True
    engine._look()
    may_run[0] = False
    engine._do()
    assert look(number).rollout.phase is not Phase.COMPLETED
    may_run[0] = True
    engine.tick()
    engine.tick()
    assert look(number).rollout.phase is Phase.COMPLETED


def test_after_a_break_every_recent_issue_is_looked_at(services, added, tmp_path):
    followed = []
    world = FakeWorld()
    world.follow_issue = lambda path, rollout: followed.append((str(path), rollout.id))
    engine = RealEngine(services, world)
    issue = tmp_path / "issue.md"
    number = added(plan_of(turn_on("dev")), issue=str(issue))
    engine._issues._behind.clear()
    engine._issues.follow()
    assert followed == []
    services.tell(frozenset({EVERYTHING}))
    engine._issues.follow()
    assert followed == [(str(issue), number)]
