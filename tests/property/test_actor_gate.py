"""B14 in short: do a few who fail again and again roll back nothing, from the SDK to the evidence?

`python -m benchmarks.guards --only B14` is the whole of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from types import SimpleNamespace

from sqlalchemy import create_engine

from fakes import START, plan_of, ramp
from flagstaff.flags.bucketing import bucket
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.rollouts.evidence.counts import Counts, Tally
from flagstaff.rollouts.evidence.ratio import Evidence, advance_evidence
from flagstaff.rollouts.guard import Counting, Guard
from flagstaff.rollouts.query import Query
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus
from flagstaff.rollouts.watching import kept_of, read, settings, watch_of
from flagstaff.sdk.client import Client
from flagstaff.server.report_bodies import ActorsBody
from flagstaff.services import actors
from flagstaff.store import actors as store
from flagstaff.store import flags as store_flags
from flagstaff.store.flags import FlagState
from flagstaff.store.tables import metadata

POLL = timedelta(seconds=15)
STAGES = ((10, 10), (50, 15))
"""Per cent of people, and for how many polls."""


class World:
    """A flag, a guard, a table, and two processes."""

    def __init__(self, rng):
        self.rng, self.now = rng, START
        self.flag = f"flag_{rng.getrandbits(40)}"
        self.salt = f"{rng.getrandbits(128):032x}"
        self.guard = Guard(
            name="g",
            logs=(),
            control=("off",),
            treatment=("on",),
            harm_ratio=1.0,
            query=Query(source="flagstaff", bad="outcomes", flag=self.flag),
            unit=Counting.ACTORS,
        )
        steps = [ramp(share, "production") for share, _ in STAGES]
        plan = plan_of(*steps, flag=self.flag, guards=(self.guard,))
        self.rollout = replace(
            Rollout.of(plan, rollout_id=1), phase=Phase.RUNNING, watch_since=START
        )
        self.connection = create_engine("sqlite://").connect()
        metadata.create_all(self.connection)
        store.begin(self.connection, 1, self.salt)
        self.shops = []

    @property
    def evidence(self):
        return watch_of(self.rollout, self.guard).evidence

    def open(self, share, stage):
        self.now += timedelta(seconds=1)
        gates = Gates(percentage_of_actors=Decimal(share))
        state = FlagState(
            environment="production",
            flag=self.flag,
            gates=gates,
            updated_at=self.now,
            updated_by="x",
        )
        store_flags.put(self.connection, state)
        self.snapshot = Snapshot(
            environment="production",
            flags={self.flag: Flag(name=self.flag, gates=gates)},
            drawn={self.flag: actors.draw_of(1, self.salt, state)},
        )
        self.shops = [self.shop(), self.shop()]
        step = self.rollout.plan.steps[stage].id
        self.rollout = self.rollout.with_state(StepState(id=step, status=StepStatus.DONE))

    def shop(self):
        made = Client.memory({}, environment="production")
        made.holder.replace(self.snapshot)
        return made

    def poll(self, outcomes):
        """Let these happen in one process or the other, report, and read."""
        self.now += POLL
        for user, ok in outcomes:
            shop = self.rng.choice(self.shops)
            shop.outcome(self.flag, shop.is_enabled(self.flag, user), ok, actor=user)
        self.shops = [self.report(each) for each in self.shops]
        unit = SimpleNamespace(connection=self.connection, wall=self.now)
        kept = kept_of(self.rollout, self.guard, START, ())
        measured = actors.measure(unit, self.rollout, self.guard, kept)
        after = read(self.rollout, (measured,), self.now)
        if self.rng.random() < 0.9:  # else the server dies before it is committed
            self.rollout = after

    def report(self, shop):
        parts, fate = shop.holder.crowds.take(), self.rng.random()
        if fate < 0.03:
            return self.shop()
        for each in parts:
            said = ActorsBody.model_validate(each.to_json()).report()
            store.take(self.connection, said)
            store.hear(self.connection, 1, said.kinds, self.now)
        if fate < 0.06:
            return self.shop()
        if fate < 0.9:
            shop.holder.crowds.taken(parts)
        return shop


def rolls_back(rng, *, size=300, harm=0.0, stages=STAGES):
    """Return whether a rollout goes back, by actors and by calls."""
    world, calls, number = World(rng), Evidence(), 0
    often = {f"User:{each}" for each in range(size) if rng.random() < 0.04}
    users = [f"User:{each}" for each in range(size)]
    spec = settings(
        world.rollout,
        replace(world.guard, unit=Counting.CALLS),
        watch_of(world.rollout, world.guard),
    )
    for stage, (share, polls) in enumerate(stages):
        world.open(share, stage)
        on = {each for each in users if bucket(world.flag, each) < share * 1_000}
        for _ in range(polls):
            number += 1
            outcomes = [
                (each, rng.random() >= (0.4 if each in often else 0.001) + harm * (each in on))
                for each in users
            ]
            world.poll(outcomes)
            tallies = [
                Tally(
                    total=sum((user in on) is side for user, _ in outcomes),
                    bad=sum((user in on) is side and not ok for user, ok in outcomes),
                )
                for side in (True, False)
            ]
            counts = Counts(
                poll=number,
                elapsed=15.0 * number,
                stage=stage,
                treatment=tallies[0],
                control=tallies[1],
            )
            calls = advance_evidence(calls, counts, spec)
    world.connection.close()
    return world.evidence.harmful_at is not None, calls.harmful_at is not None


def test_actors_who_fail_again_and_again_count_once_all_the_way():
    rng = Random(14)
    ends = [rolls_back(rng) for _ in range(20)]
    assert sum(by_actor for by_actor, _ in ends) <= 2
    assert sum(by_call for _, by_call in ends) >= 4


def test_harm_is_found_all_the_way():
    rng = Random(15)
    assert all(rolls_back(rng, harm=0.03, stages=((50, 20),))[0] for _ in range(3))
