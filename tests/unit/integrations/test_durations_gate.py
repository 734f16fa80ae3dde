"""Are slower jobs found through the readers, and is drift that both sides share no harm?

A short form of gate B8 of the benchmarks: logs are written and rotated, a tenth of the readings is
lost before the commit, and the rollout is written and read between any two.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from fakes import GUARD, START, plan_of, ramp
from flagstaff.commands.codec import decode, encode
from flagstaff.integrations.metrics.job_durations import JobDurations
from flagstaff.integrations.metrics.job_logs import JobLogs
from flagstaff.rollouts.event import Observed, Started
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Approve
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.rollouts.watching import changed_at, kept_of

POLL = timedelta(seconds=15)
STRICT = replace(GUARD, harm_ratio=1.0, min_bad=0, logs=("*.jsonl",))
PAIRS = replace(STRICT, name="in pairs", ranked=True, required=False, weight=0.5)
BOUNDS = tuple(
    replace(STRICT, name=f"over {bound}", slower_than=bound, weight=0.25) for bound in (0.25, 0.5)
)


def polls_until(root, guards, *, seed, times=1.0, tail=0.0, polls=25):
    """Return the number of the poll at which the rollout goes back; one more than all for never."""
    chance, log, drift = Random(seed), root / "jobs.jsonl", 0.0
    counting = {each: JobLogs(root, each, START) for each in guards if not each.ranked}
    rollout = Rollout.of(plan_of(ramp(50), Approve(), guards=guards))
    rollout, _ = advance(rollout, Started(by="ada"), START)
    rollout, _ = advance(rollout, Observed(), START)
    for poll in range(1, polls + 1):
        now, drift = START + poll * POLL, 0.95 * drift + chance.gauss(0, 0.2)
        with log.open("a") as file:
            for job in range(40):
                new = chance.random() < 0.5
                took = chance.lognormvariate(drift - 2.3, 0.6) * (times if new else 1)
                took += new and chance.random() < tail
                entry = {"class": "New" if new else "Old", "jid": f"{poll}-{job}"}
                entry |= {"job_status": "done", "duration_s": took}
                file.write(json.dumps(entry | {"completed_at": now.isoformat()}) + "\n")
        if chance.random() < 0.2:
            log.rename(root / f"jobs-{poll}.jsonl")
        seen = Observed(
            measurements=tuple(
                counting[each].measure()
                if each in counting
                else JobDurations(root, each).measure(
                    kept_of(rollout, each, START, changed_at(rollout)), now
                )
                for each in guards
            )
        )
        moved, _ = advance(rollout, seen, now)
        if moved.phase is Phase.ROLLED_BACK:
            return poll
        if chance.random() >= 0.1:
            rollout = decode(json.loads(json.dumps(encode(moved))), Rollout)
    return polls + 1


@pytest.fixture
def worlds(tmp_path):
    def run(guards, number, **how):
        found = []
        for seed in range(number):
            root = tmp_path / f"{len(list(tmp_path.iterdir()))}"
            root.mkdir()
            found.append(polls_until(root, guards, seed=seed, **how))
        return found

    return run


def test_b8_drift_that_both_sides_share_is_no_harm(worlds):
    assert sum(each <= 25 for each in worlds((PAIRS, *BOUNDS), 24)) <= 3


def test_b8_slower_jobs_are_found_sooner_than_by_bounds_alone(worlds):
    both = sum(worlds((PAIRS, *BOUNDS), 12, times=1.3))
    alone = sum(worlds(BOUNDS, 12, times=1.3))
    assert both < alone


def test_b8_a_few_late_jobs_are_found_nearly_as_soon(worlds):
    both = sum(worlds((PAIRS, *BOUNDS), 12, tail=0.1))
    alone = sum(worlds(BOUNDS, 12, tail=0.1))
    assert both <= 1.4 * alone
