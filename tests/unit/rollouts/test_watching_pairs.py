"""Is a job compared once with those of the other side, and harm said in words of pairs?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import GUARD, START, plan_of, ramp
from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.event import Observed, Started
from flagstaff.rollouts.evidence.durations import LEAST_CALLS
from flagstaff.rollouts.forecast import forecasts
from flagstaff.rollouts.guard import Arm, Measurement, Response, Standing
from flagstaff.rollouts.judging import judgements, words
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Approve, Bake
from flagstaff.rollouts.rollout import NO_DURATIONS, Phase, Rollout

PAIRS = replace(GUARD, name="slow in pairs", ranked=True, required=False, weight=0.5)
SLOW = replace(GUARD, name="slow", slower_than=1.0, weight=0.5, harm_above=0.99)
POLL = timedelta(seconds=15)


def watched(*guards, actions=()):
    steps = actions or (Approve(),)
    rollout = Rollout.of(plan_of(ramp(50), *steps, guards=guards or (PAIRS,)))
    rollout, _ = advance(rollout, Started(by="ada"), START)
    return advance(rollout, Observed(), START)[0]


class Log:
    """What ended so far, read on from where the evidence of a rollout ends."""

    def __init__(self):
        self.on, self.off = [], []

    def write(self, on, off):
        self.on += on
        self.off += off

    def read(self, rollout):
        [watch] = [each for each in rollout.watches if each.guard == PAIRS.name] or [None]
        begins = (watch.treatment.total, watch.control.total) if watch else (0, 0)
        return Measurement(
            guard=PAIRS.name,
            treatment=Arm(total=len(self.on)),
            control=Arm(total=len(self.off)),
            on_durations=tuple(self.on[begins[0] :]),
            off_durations=tuple(self.off[begins[1] :]),
        )


def look(rollout, *measured, at):
    return advance(rollout, Observed(measurements=measured), START + at * POLL)[0]


def some(chance, number, times=1.0, drift=0.0):
    return [times * chance.lognormvariate(drift - 1, 0.6) for _ in range(number)]


def run(times, *, polls=40, seed=1, guards=(PAIRS,), drift=0.0):
    chance, rollout, log = Random(seed), watched(*guards), Log()
    for at in range(1, polls + 1):
        log.write(
            some(chance, 30, times, drift * at / polls), some(chance, 30, 1.0, drift * at / polls)
        )
        rollout = look(rollout, log.read(rollout), at=at)
        if rollout.phase.finished:
            break
    return rollout


def test_slower_jobs_are_rolled_back_and_the_words_say_in_how_many_pairs():
    rollout = run(1.5)
    assert rollout.phase is Phase.ROLLED_BACK
    assert rollout.reason.startswith(
        "Rolled back after 15 s at 50 %: slow in pairs: in 81 % of pairs"
    )
    assert "pairs the one under the new names took longer, 30 jobs against 30; " in rollout.reason
    assert rollout.reason.endswith("evidence 260 : 1, limit 20 : 1.")


def test_jobs_as_fast_as_ever_are_left_alone_and_shown_safe_whatever_drifts():
    rollout = run(1.0, drift=2.0)
    [said] = judgements(rollout, START + 41 * POLL)
    assert rollout.phase is Phase.RUNNING or rollout.phase is Phase.WAITING
    assert said.standing is Standing.HEALTHY
    assert said.longer == pytest.approx(0.5, abs=0.03)
    assert said.ratio is None
    assert "evidence of safety" in said.evidence


def test_within_the_ratio_that_is_harmless_nothing_is_done():
    assert run(1.4, guards=(replace(PAIRS, harm_ratio=1.5),)).phase is not Phase.ROLLED_BACK


def test_harm_that_only_notifies_rolls_nothing_back():
    rollout = run(1.8, guards=(replace(PAIRS, on_harm=Response.NOTIFY),))
    [said] = judgements(rollout, START)
    assert (rollout.phase, said.standing) == (Phase.WAITING, Standing.HARMFUL)


def test_pairs_and_bounds_share_the_risk():
    """Of a chance of 1 in 20, less the tenth kept for guards that come later, each has half."""
    assert ", limit 20 : 1" in run(1.5).reason
    assert ", limit 44 : 1" in run(1.5, guards=(PAIRS, SLOW)).reason


def test_no_wait_asks_pairs_for_safety():
    rollout = watched(
        replace(SLOW, safe_below=0.1), PAIRS, actions=(Bake(duration=POLL * 2), Approve())
    )
    counted = Measurement(guard=SLOW.name, treatment=Arm(total=2000), control=Arm(total=2000))
    gone = Measurement(guard=PAIRS.name, error="no file matches log/*.jsonl")
    for at in range(1, 6):
        rollout = look(rollout, counted, gone, at=at)
    assert rollout.current.id == "s3"
    assert "slow in pairs: no data: no file matches" in rollout.state("s2").note


def test_few_jobs_wait_open_and_no_more_than_that():
    chance, rollout, log = Random(2), watched(), Log()
    for at in range(1, 60):
        log.write(some(chance, at % 3), some(chance, at % 5))
        rollout = look(rollout, log.read(rollout), at=at)
        state = rollout.watches[0].durations
        assert len(state.open_treatment) + len(state.open_control) < LEAST_CALLS
    assert state.treatment.total == len(log.on)
    assert state.pairs > 0


def test_stages_are_compared_apart():
    actions = (Bake(duration=POLL), ramp(75), Bake(duration=POLL * 99))
    rollout, log = watched(actions=actions), Log()
    log.write([1.0] * 20, [])
    rollout = look(rollout, log.read(rollout), at=1)
    log.write([], [9.0] * 20)
    rollout = look(rollout, log.read(rollout), at=2)
    rollout = look(rollout, log.read(rollout), at=3)
    assert rollout.watches[0].durations.pairs == 400
    log.write([1.0] * 20, [])
    rollout = look(rollout, log.read(rollout), at=4)
    rollout = look(rollout, log.read(rollout), at=5)
    assert rollout.percentage == 75
    log.write([], [9.0] * 20)
    rollout = look(rollout, log.read(rollout), at=6)
    assert rollout.watches[0].durations.stage == 2


polls = st.lists(
    st.tuples(
        st.lists(st.integers(1, 9).map(float), max_size=20),
        st.lists(st.integers(1, 9).map(float), max_size=20),
        st.sampled_from(["commit", "die", "twice", "late"]),
    ),
    min_size=1,
    max_size=15,
)


@given(polls)
def test_dying_before_the_commit_and_hearing_twice_changes_nothing(found):
    """`late` hears the reading of a process that died after another one had committed more."""
    calm = stormy = watched(replace(PAIRS, dry_run=True))
    log, older = Log(), None
    for at, (on, off, how) in enumerate(found, start=1):
        log.write(on, off)
        measured = log.read(stormy)
        if how == "die":
            look(stormy, measured, at=2 * at)
            older = measured
            continue
        calm = look(calm, log.read(calm), at=2 * at)
        stormy = decode(json.loads(json.dumps(encode(look(stormy, measured, at=2 * at)))), Rollout)
        if how == "twice":
            stormy = look(stormy, measured, at=2 * at + 1)
        if how == "late" and older is not None:
            stormy = look(stormy, older, at=2 * at + 1)
        assert stormy.watches == calm.watches


def test_the_state_of_other_guards_is_written_as_before():
    rollout = look(watched(GUARD), Measurement(guard="jobs", treatment=Arm(total=3)), at=1)
    [body] = encode(rollout)["watches"]
    assert "durations" not in body
    assert "logs" not in body["place"]
    assert "ranked" not in encode(rollout)["plan"]["guards"][0]
    assert decode(encode(rollout), Rollout).watches[0].durations == NO_DURATIONS


def test_before_anything_is_compared_that_is_said():
    rollout = look(watched(), Measurement(guard=PAIRS.name, treatment=Arm(total=3)), at=1)
    assert words(rollout, PAIRS, START) == "slow in pairs: nothing to compare yet"


def test_the_plan_is_told_from_how_many_pairs_on_harm_is_seen():
    wait = Bake(duration=timedelta(hours=1))
    plan = plan_of(ramp(50), wait, ramp(100), wait, guards=(PAIRS,))
    half, everybody = (
        each.text for each in forecasts(plan, PAIRS, Arm(total=24_000), timedelta(days=1))
    )
    assert half == (
        "Step 2: about 500 jobs under the new names; sees harm if the one under the new names "
        "takes more than 1.1 times as long in 55 % of pairs"
    )
    assert everybody.endswith(
        "about 1,000 jobs under the new names; there is nothing to compare with"
    )
    [few, _] = forecasts(plan, PAIRS, Arm(total=24), timedelta(days=1))
    assert few.text.endswith("too few to compare in pairs")
    assert few.warning == ""
