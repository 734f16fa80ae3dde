"""Do durations of job logs pass gate B8 as the product reads, keeps and judges them?

Each world writes job logs. The readers read them from the place that is kept with the evidence, a
rollout is advanced with what they say, and is written and read again as the store does. Some
readings are lost between reading and committing, and logs are rotated.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.guards_gate import Row, false_alarms
from flagstaff.commands.codec import decode, encode
from flagstaff.definitions.guard_bounds import one_for_each
from flagstaff.definitions.project import JobGuard
from flagstaff.flags.change import PercentageOfActors
from flagstaff.integrations.metrics.job_durations import JobDurations
from flagstaff.integrations.metrics.job_logs import JobLogs
from flagstaff.rollouts.event import Observed, Started
from flagstaff.rollouts.guard import Guard, Measurement
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Approve, Plan, SetGate, Step
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.rollouts.watching import changed_at, kept_of

Generator = np.random.Generator

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
POLL = timedelta(seconds=15)
BOUNDS = (0.1, 0.25, 0.5, 1.0)
LOST, ROTATED = 0.1, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Log-normal jobs of 100 ms whose level drifts for all; under the new name they differ.

    `rate` is in jobs a second, `share` of them under the new name; those take `times` as long, and
    of them the share `tail` a second more.
    """

    share: float = 0.5
    rate: float = 4.0
    times: float = 1.0
    tail: float = 0.0
    minutes: float = 15.0


def guards_of(*, pairs: bool) -> tuple[Guard, ...]:
    """Return the guards of `slower_than`, or those of its bounds alone with all of the weight."""
    written = JobGuard(name="slow", flag="f", jobs=("*.jsonl",), harm_ratio=1.0, min_bad=0)
    found = [
        Guard(
            name=each.name,
            logs=each.jobs,
            control=("Old",),
            treatment=("New",),
            weight=each.weight,
            harm_ratio=each.harm_ratio,
            min_bad=each.min_bad,
            slower_than=each.slower_than,
            ranked=each.ranked,
            required=each.required,
        )
        for each in one_for_each(written, BOUNDS)
    ]
    return tuple(each for each in found if pairs or not each.ranked)


class Watched:
    """A rollout that is looked at every poll, by processes that may die."""

    def __init__(self, root: Path, guards: tuple[Guard, ...], share: float) -> None:
        self._root, self.minutes, self.compared = root, float("inf"), 0
        self._counting = {
            each.name: JobLogs(root, each, START) for each in guards if not each.ranked
        }
        change = PercentageOfActors(value=Decimal(str(100 * share)))
        actions = (SetGate(environments=("production",), change=change), Approve())
        steps = tuple(
            Step(id=f"s{number}", stage="", title="", action=each)
            for number, each in enumerate(actions)
        )
        begun = Rollout.of(Plan(flag="f", title="", steps=steps, guards=guards))
        begun, _ = advance(begun, Started(by="ada"), START)
        self.rollout, _ = advance(begun, Observed(), START)

    def look(self, now: datetime, *, commits: bool) -> None:
        """Read and judge; without a commit everything is as it was."""
        seen = tuple(self._read(each, now) for each in self.rollout.plan.guards)
        moved, _ = advance(self.rollout, Observed(measurements=seen), now)
        if not commits:
            return
        self.rollout = decode(json.loads(json.dumps(encode(moved))), Rollout)
        for watch in self.rollout.watches:
            if watch.guard.endswith("in pairs"):
                state = watch.durations
                self.compared = int(state.treatment.total + state.control.total)
        if self.rollout.phase is Phase.ROLLED_BACK:
            self.minutes = (now - START) / timedelta(minutes=1)

    def _read(self, guard: Guard, now: datetime) -> Measurement:
        if not guard.ranked:
            return self._counting[guard.name].measure()
        kept = kept_of(self.rollout, guard, START, changed_at(self.rollout))
        return JobDurations(self._root, guard).measure(kept, now)


def minutes_until(rng: Generator, world: World) -> tuple[float, float, int]:
    """Return after how many minutes pairs and bounds roll back, and bounds alone.

    The third is how many jobs more or less than were written had been compared at some time.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        both = Watched(root, guards_of(pairs=True), world.share)
        alone = Watched(root, guards_of(pairs=False), world.share)
        drift, written, wrong = 0.0, 0, 0
        for poll in range(1, round(world.minutes * 60 / POLL.total_seconds()) + 1):
            now = START + poll * POLL
            drift = 0.95 * drift + rng.normal(0, 0.05)
            written += _write(rng, root / "jobs.jsonl", world, drift, now)
            if rng.random() < ROTATED:
                (root / "jobs.jsonl").rename(root / f"jobs-{poll}.jsonl")
            commits = rng.random() >= LOST
            for each in (both, alone):
                if each.minutes == float("inf"):
                    each.look(now, commits=commits)
            if commits and both.minutes == float("inf"):
                wrong += abs(both.compared - written)
            if both.minutes < float("inf") and alone.minutes < float("inf"):
                break
        return both.minutes, alone.minutes, wrong


def _write(rng: Generator, log: Path, world: World, drift: float, now: datetime) -> int:
    jobs = rng.poisson(world.rate * POLL.total_seconds())
    new = rng.random(jobs) < world.share
    took = rng.lognormal(np.log(0.1) + drift, 0.6, jobs)
    took = np.where(new, took * world.times + (rng.random(jobs) < world.tail), took)
    with log.open("a") as file:
        for number, (is_new, seconds) in enumerate(zip(new, took, strict=True)):
            entry = {
                "class": "New" if is_new else "Old",
                "job_status": "done",
                "jid": f"{now:%H%M%S}-{number}",
                "duration_s": round(float(seconds), 6),
                "completed_at": now.isoformat(),
            }
            file.write(json.dumps(entry) + "\n")
    return int(jobs)


def b8_read(rng: Generator, scale: float) -> Iterator[Row]:
    """Pairs and bounds through the readers: few false alarms, and no later than bounds alone."""
    runs, calm = max(40, int(200 * scale)), World()
    ends = [minutes_until(rng, calm) for _ in range(runs)]
    hits = sum(np.isfinite(both) for both, _, _ in ends)
    yield false_alarms("B8", "pairs and bounds of job logs, nothing is slower", hits, runs, 0.05)
    wrong = sum(each for *_, each in ends)
    cell = "jobs compared twice or not at all, logs rotated, readers killed"
    yield Row(gate="B8", cell=cell, value=wrong, limit=0)
    repeats = max(12, int(60 * scale))
    slower = World(times=1.3, minutes=60)
    late = World(tail=0.05, minutes=60)
    for cell, world, most in (
        ("30 % slower: pairs and bounds ÷ bounds alone", slower, 1.0),
        ("5 % take 1 s more: pairs and bounds ÷ bounds alone", late, 1.3),
    ):
        found = [minutes_until(rng, world) for _ in range(repeats)]
        both, alone = (np.mean([min(each[side], 60) for each in found]) for side in (0, 1))
        note = f"{both:.2f} min against {alone:.2f}"
        yield Row(gate="B8", cell=cell, value=float(both / alone), limit=most, unit="x", note=note)
