"""Are actors counted right from the SDK through the table to the evidence? Gate B14.

Everything but the network is real: the SDK's processes, reports as JSON, the table in SQLite, the
reading of a guard and its evidence. Processes die before and after their reports, answers to
reports are lost, and readings are not committed. Each rollout has another flag and another salt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import create_engine

from benchmarks.guards_gate import Row, false_alarms
from benchmarks.guards_worlds import POLL
from flagstaff.flags.bucketing import bucket
from flagstaff.flags.change import PercentageOfActors
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.rollouts import watching
from flagstaff.rollouts.evidence.counts import Counts, Tally
from flagstaff.rollouts.evidence.ratio import Evidence, advance_evidence
from flagstaff.rollouts.guard import Counting, Guard
from flagstaff.rollouts.plan import Plan, SetGate, Statistics, Step
from flagstaff.rollouts.query import Query
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus, Watch
from flagstaff.sdk.client import Client
from flagstaff.server.report_bodies import ActorsBody
from flagstaff.services import actors
from flagstaff.services.unit import Unit
from flagstaff.store import actors as store
from flagstaff.store import flags as store_flags
from flagstaff.store.flags import FlagState
from flagstaff.store.tables import metadata

Generator = np.random.Generator
Ints = npt.NDArray[np.int_]
Bools = npt.NDArray[np.bool_]

NUMBER, PEOPLE, PROCESSES = 1, 600, 3
STAGES = ((10, 15), (50, 25))
"""Per cent of people with the flag, and for how many polls."""

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
DIES, LOST, UNCOMMITTED = 0.04, 0.1, 0.1
"""How often a process dies, before its report or after it; how often an answer gets lost; and how
often the server dies between reading and committing."""


def b14(rng: Generator, scale: float) -> Iterator[Row]:
    """Actors through the table: few false rollbacks, and nobody is counted twice."""
    runs = max(40, int(2_000 * scale))
    found = [_rollout(rng, harm=0.0) for _ in range(runs)]
    alarms = sum(np.isfinite(each.by_actor) for each in found)
    yield false_alarms("B14", "through the table, processes die, A/A", alarms, runs, 0.05)
    twice = sum(each.twice for each in found)
    yield Row(gate="B14", cell="actors counted twice, or never failed", value=twice, limit=0.0)
    share = 100 * sum(np.isfinite(each.by_call) for each in found) / runs
    yield Row(
        gate="B14",
        cell="the same world shows what counting calls does",
        value=10.0,
        limit=share,
        unit="%",
        note=f"{share:.1f} % rolled back by calls",
    )
    harmed = [_rollout(rng, harm=0.02, stages=((50, 60),)) for _ in range(max(15, runs // 40))]
    median = float(np.median([each.by_actor for each in harmed]))
    cell = "one call more in 50 fails, 50 %"
    yield Row(gate="B14", cell=cell, value=median, limit=3.0, unit="min")


class _World:
    """One application in several processes, and the server's table."""

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self.flag = f"flag_{rng.integers(2**40)}"
        self.salt = rng.bytes(16).hex()
        self.names = [f"User:{each}" for each in range(PEOPLE)]
        self.buckets = np.array([bucket(self.flag, each) for each in self.names])
        engine = create_engine("sqlite://")
        self.connection = engine.connect()
        metadata.create_all(self.connection)
        store.begin(self.connection, NUMBER, self.salt)
        self.now = BEGAN
        self.guard = Guard(
            name="g",
            logs=(),
            control=("off",),
            treatment=("on",),
            harm_ratio=1.0,
            min_bad=0,
            min_excess=0.0,
            query=Query(source="flagstaff", bad="outcomes", flag=self.flag),
            counts="people",
            unit=Counting.ACTORS,
        )
        steps = tuple(
            Step(
                id=f"s{share}",
                stage="s",
                title="s",
                action=SetGate(
                    environments=("production",), change=PercentageOfActors(value=Decimal(share))
                ),
            )
            for share, _ in STAGES
        )
        plan = Plan(
            flag=self.flag,
            title="t",
            steps=steps,
            guards=(self.guard,),
            statistics=Statistics(poll=timedelta(seconds=POLL)),
        )
        started = replace(Rollout.of(plan), id=NUMBER, phase=Phase.RUNNING)
        self.rollout = replace(started, watch_since=BEGAN)
        self.shops: list[Client] = []

    def open(self, share: int, stage: int) -> None:
        """Give the flag to a share of people, and every process the new snapshot."""
        self.now += timedelta(seconds=1)
        gates = Gates(percentage_of_actors=Decimal(share))
        state = FlagState(
            environment=actors.PRODUCTION,
            flag=self.flag,
            gates=gates,
            updated_at=self.now,
            updated_by="b",
        )
        store_flags.put(self.connection, state)
        self.snapshot = Snapshot(
            environment=actors.PRODUCTION,
            version=stage + 1,
            flags={self.flag: Flag(name=self.flag, gates=gates)},
            drawn={self.flag: actors.draw_of(NUMBER, self.salt, state)},
        )
        for each in self.shops:
            each.holder.replace(self.snapshot)
        done = StepState(
            id=self.rollout.plan.steps[stage].id, status=StepStatus.DONE, finished_at=self.now
        )
        self.rollout = self.rollout.with_state(done)

    def unit(self) -> Unit:
        """Return as much of a transaction as reading and taking in need."""
        return cast("Unit", SimpleNamespace(connection=self.connection, wall=self.now))

    def shop(self) -> Client:
        """Return a new process."""
        made = Client.memory({}, environment=actors.PRODUCTION)
        made.holder.replace(self.snapshot)
        return made

    def report(self, shop: Client) -> Client:
        """Report, unless the process dies; return it, or the one in its place."""
        fate = self.rng.random()
        if fate < DIES / 2:
            return self.shop()
        parts = shop.holder.crowds.take()
        for each in parts:
            said = ActorsBody.model_validate(each.to_json()).report()
            store.take(self.connection, said)
            store.hear(self.connection, NUMBER, said.kinds, self.now)
        if fate < DIES:
            return self.shop()
        if self.rng.random() >= LOST:
            shop.holder.crowds.taken(parts)
        return shop

    @property
    def watch(self) -> Watch:
        """Return what the guard knows."""
        return watching.watch_of(self.rollout, self.guard)

    def happen(self, made: Ints, bad: Ints) -> None:
        """Let everybody's calls go to any process, report, and read."""
        self.shops = self.shops or [self.shop() for _ in range(PROCESSES)]
        self.now += timedelta(seconds=POLL)
        for index in np.flatnonzero(made):
            shop, name = self.shops[self.rng.integers(PROCESSES)], self.names[index]
            answer = shop.is_enabled(self.flag, name)
            shop.outcome(self.flag, answer, not bad[index], actor=name)
        self.shops = [self.report(each) for each in self.shops]
        self.poll()

    def poll(self) -> None:
        """Read, and commit what was read, unless the server dies in between."""
        kept = watching.kept_of(self.rollout, self.guard, BEGAN, ())
        measured = actors.measure(self.unit(), self.rollout, self.guard, kept)
        after = watching.read(self.rollout, (measured,), self.now)
        if self.rng.random() >= UNCOMMITTED:
            self.rollout = after


@dataclass(kw_only=True)
class _End:
    """Minutes of rollback, by actors and by calls, and how many were counted wrongly."""

    by_actor: float = np.inf
    by_call: float = np.inf
    twice: int = 0


def _rollout(rng: Generator, *, harm: float, stages: tuple[tuple[int, int], ...] = STAGES) -> _End:
    """Return how one rollout ends.

    Three in a hundred people fail in 30 % of the calls, the others in 0.05 %.
    """
    world, end = _World(rng), _End()
    volume = rng.lognormal(0, 1.0, PEOPLE)
    volume /= volume.mean()
    rate = np.where(rng.random(PEOPLE) < 0.03, 0.3, 0.0005)  # noqa: PLR2004
    failed = np.zeros(PEOPLE, dtype=bool)
    call, poll = Evidence(), 0
    strict = watching.settings(world.rollout, world.guard, world.watch)
    for stage, (share, polls) in enumerate(stages):
        world.open(share, stage)
        on = world.buckets < share * 1_000
        for _ in range(polls):
            poll += 1
            made = rng.poisson(volume)
            bad = rng.binomial(made, np.minimum(rate + harm * on, 1.0))
            failed |= bad > 0
            world.happen(made, bad)
            call = advance_evidence(call, _calls(made, bad, on, poll, stage), strict)
            end.by_actor = _minutes(end.by_actor, world.watch.evidence)
            end.by_call = _minutes(end.by_call, call)
    counted = world.watch.treatment.failed + world.watch.control.failed
    end.twice = max(0, counted - int(failed.sum()))
    world.connection.close()
    return end


def _calls(made: Ints, bad: Ints, on: Bools, poll: int, stage: int) -> Counts:
    sides = [Tally(total=int(made[side].sum()), bad=int(bad[side].sum())) for side in (on, ~on)]
    return Counts(poll=poll, elapsed=poll * POLL, stage=stage, treatment=sides[0], control=sides[1])


def _minutes(before: float, evidence: Evidence) -> float:
    if np.isfinite(before) or evidence.harmful_at is None:
        return before
    return evidence.harmful_at / 60
