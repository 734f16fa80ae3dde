"""Is each source read once a poll, whatever else makes the engine look at the rollout?"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from fakes import GUARD, FakeWorld, plan_of, ramp, reading, turn_on
from flagstaff.engine.loop import Engine
from flagstaff.rollouts.plan import Bake
from flagstaff.rollouts.rollout import Phase
from flagstaff.services import looking
from flagstaff.services.person import ENGINE
from flagstaff.store.tables import look

POLL = timedelta(seconds=15)
BAKE = timedelta(minutes=2)


class Counting(FakeWorld):
    """Has as many jobs more each time as the guard may count, and knows when it was asked."""

    def __init__(self, clock):
        super().__init__()
        self.clock, self.asked, self.silent = clock, [], False

    def measure(self, guard, kept):
        del guard, kept
        self.asked.append(self.clock.now())
        jobs = 0 if self.silent else 1000 * len(self.asked)
        failed = 0 if self.silent else 1
        return reading((jobs, failed), (jobs, failed))


def watched(lab, bake=BAKE, *, after=()):
    number = lab.added(plan_of(ramp(10), Bake(duration=bake), *after, guards=(GUARD,)))
    world = Counting(lab.clock)
    return number, world, Engine(lab.services, world)


def wake(lab, number):
    with lab.services.unit(ENGINE, write=True) as unit:
        looking.wake(unit, number)


def test_a_look_between_two_polls_asks_no_source_and_delays_none(lab):
    number, world, engine = watched(lab)
    engine.look()
    begin = lab.clock.now()
    for second in range(1, 61):
        lab.clock.advance(seconds=1)
        if second % 7 == 0:
            wake(lab, number)  # as drift checks and people do
        engine.look()
    asked = [round((each - begin) / POLL, 2) for each in world.asked if each > begin]
    assert asked == [1, 2, 3, 4]


def test_the_source_is_asked_once_more_where_the_bake_ends(lab):
    after = (turn_on("production"),)
    number, world, engine = watched(lab, timedelta(seconds=20), after=after)
    engine.look()
    for _ in range(40):
        lab.clock.advance(seconds=1)
        engine.look()
    changed = lab.look(number).rollout.state("s2").finished_at
    assert changed is not None
    assert changed in world.asked  # so nothing of the stage before is left out
    assert lab.look(number).rollout.phase is Phase.COMPLETED


def test_a_source_without_news_is_asked_again_after_a_poll(lab):
    _, world, engine = watched(lab)
    world.silent = True
    engine.look()
    begin = lab.clock.now()
    for _ in range(60):
        lab.clock.advance(seconds=1)
        engine.look()
    assert 3 <= len([each for each in world.asked if each > begin]) <= 8


def test_a_look_for_the_guards_checks_the_flag_as_well(lab):
    number, world, engine = watched(lab, timedelta(minutes=10))
    for _ in range(5 * 60):
        engine.look()
        lab.clock.advance(seconds=1)
    with lab.services.unit(ENGINE, write=False) as unit:
        rows = unit.connection.execute(select(look).where(look.c.rollout_id == number))
        (row,) = rows
    assert row.check_at > lab.clock.now()
    assert 20 <= len(world.asked) <= 21
    assert row.lease_token - len(world.asked) <= 2  # the first check does not wait for a poll
