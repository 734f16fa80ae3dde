"""Does the evidence of a rollout depend on what happened, and on nothing else?

Every test goes through `advance` itself, with the counts of a source that counts from the beginning
of the watch.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import BLIND, CALM, GUARD, START, plan_of, ramp, reading
from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.event import Observed, Started
from flagstaff.rollouts.judging import judgements
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Approve, Bake
from flagstaff.rollouts.rollout import Phase, Rollout

ALPHA = 0.05
POLL = timedelta(seconds=15)
WORLDS = 200
POLLS = 60

counts = st.tuples(st.integers(0, 30), st.integers(0, 6), st.integers(0, 90), st.integers(0, 9))
polls = st.lists(counts, min_size=1, max_size=12)


def watched(*actions):
    """Return a rollout at 10 % whose guard is about to be read for the first time."""
    rollout = Rollout.of(plan_of(ramp(10), *(actions or (Approve(),)), guards=(GUARD,)))
    rollout, _ = advance(rollout, Started(by="ada"), START)
    return advance(rollout, Observed(), START)[0]


def cumulative(found):
    """Return what the source says after each poll."""
    on_done = on_failed = off_done = off_failed = 0
    for more_done, more_failed, other_done, other_failed in found:
        on_done, on_failed = on_done + more_done, on_failed + more_failed
        off_done, off_failed = off_done + other_done, off_failed + other_failed
        yield reading((on_done + on_failed, on_failed), (off_done + off_failed, off_failed))


def look(rollout, measured, now):
    return advance(rollout, Observed(measurements=(measured,)), now)[0]


@given(polls)
def test_dying_before_the_commit_and_hearing_twice_changes_nothing(found):
    calm = stormy = watched()
    now = START
    for measured in cumulative(found):
        now += POLL
        calm = look(calm, measured, now)
        look(stormy, measured, now)  # died before it was written
        stormy = decode(encode(look(stormy, measured, now)), Rollout)
        for seconds in (0, 1, 20):  # and told again, also by the next process, polls later
            stormy = look(stormy, measured, now + timedelta(seconds=seconds))
        assert stormy == calm


@given(polls, st.data())
def test_looks_in_between_add_nothing_and_lose_nothing(found, data):
    """What comes between two polls is in the next one, however often somebody looks meanwhile."""
    every = watched()
    now = START
    for measured in cumulative(found):
        for _ in range(data.draw(st.integers(0, 3))):
            every = look(every, measured, now + timedelta(seconds=data.draw(st.integers(0, 14))))
        now += POLL
        every = look(every, measured, now)
        if every.phase.finished:
            return
    state = every.watches[0].evidence
    assert (state.treatment.total, state.treatment.bad) == (
        sum(done + failed for done, failed, *_ in found),
        sum(failed for _, failed, *_ in found),
    )
    assert state.control.bad == sum(failed for *_, failed in found)


@given(st.lists(st.sampled_from(["logs", "no logs"]), min_size=3, max_size=40))
def test_no_data_at_the_end_never_advances(found):
    rollout = watched(Bake(duration=timedelta(minutes=1)), Approve())
    now = START
    for jobs, each in enumerate(found, start=1):
        now += timedelta(seconds=15)
        measured = BLIND if each == "no logs" else reading((jobs * 3, 0), (jobs * 9, 0))
        rollout = look(rollout, measured, now)
    for _ in range(40):
        now += timedelta(minutes=10)
        rollout = look(rollout, BLIND, now)
    assert rollout.current.id == "s2"
    assert "no data" in rollout.state("s2").note


def test_an_outage_holds_what_was_healthy_and_goes_on_after_it():
    rollout = watched(Bake(duration=timedelta(hours=1)), Approve())
    now = START
    rollout = look(rollout, CALM, now)
    for _ in range(10):
        now += POLL
        rollout = look(rollout, BLIND, now)
    rollout = look(rollout, BLIND, START + timedelta(hours=2))
    assert rollout.current.id == "s2"
    assert look(rollout, CALM, START + timedelta(hours=3)).current.id == "s3"


def false_rollbacks(count_twice):
    """Return the share of harmless rollouts, half of the jobs on either side, that roll back.

    `count_twice` turns the counts of all polls into what the source says; the base rate drifts.
    """
    rolled = 0
    for world in range(WORLDS):
        chance = random.Random(world)
        rollout, now, found = watched(), START, []
        for number in range(POLLS):
            rate = 0.02 + 0.06 * (number % 20) / 20
            sides = [sum(chance.random() < rate for _ in range(25)) for _ in range(2)]
            found.append((25 - sides[0], sides[0], 25 - sides[1], sides[1]))
            now += POLL
            rollout = look(rollout, count_twice(found), now)
            if rollout.phase is Phase.ROLLED_BACK:
                rolled += 1
                break
    return rolled / WORLDS


def honest(found):
    return reading(
        (25 * len(found), sum(each[1] for each in found)),
        (25 * len(found), sum(each[3] for each in found)),
    )


def overlapping(found):
    """Return what a window of eight polls would have us count: each failure up to eight times."""
    seen = [min(8, len(found) - number) for number in range(len(found))]
    on = sum(times * each[1] for times, each in zip(seen, found, strict=True))
    off = sum(times * each[3] for times, each in zip(seen, found, strict=True))
    return reading((25 * sum(seen), on), (25 * sum(seen), off))


def test_harmless_rollouts_are_rolled_back_as_seldom_as_promised():
    assert false_rollbacks(honest) <= ALPHA


def test_overlapping_windows_would_break_the_promise_and_this_test_sees_it():
    assert false_rollbacks(overlapping) > 2 * ALPHA


@settings(max_examples=30)
@given(polls)
def test_a_judgement_is_finite_and_can_be_written(found):
    rollout = watched()
    now = START
    for measured in cumulative(found):
        now += POLL
        rollout = look(rollout, measured, now)
    for said in judgements(rollout, now):
        assert said.evidence
        assert decode(encode(said), type(said)) == said
    assert replace(rollout, watches=()) != rollout
