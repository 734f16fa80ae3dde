"""What do all guards of a rollout lead to together?"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from random import Random

import pytest

from flagstaff.rollouts.evidence.buckets import bucket_guards, slow_calls
from flagstaff.rollouts.evidence.counts import Counts, Missing, Tally
from flagstaff.rollouts.evidence.durations import (
    DurationEvidence,
    DurationGuard,
    Durations,
    advance_durations,
)
from flagstaff.rollouts.evidence.panel import survey
from flagstaff.rollouts.evidence.ratio import Evidence, advance_evidence
from flagstaff.rollouts.evidence.settings import RatioGuard
from flagstaff.rollouts.evidence.standing import Decision, Response, Standing
from flagstaff.rollouts.evidence.threshold import Streak, Threshold

ERRORS = RatioGuard(name="5xx", share=0.5)
JOBS = RatioGuard(name="jobs", share=0.4, noun="jobs")
CPU = Threshold(name="cpu", most=0.85)
CALM = Streak(poll=1, value=0.2)


def after(guard, bad_on, bad_off, polls=40):
    state = Evidence()
    for poll in range(1, polls + 1):
        counts = Counts(
            poll=poll,
            elapsed=15.0 * poll,
            treatment=Tally(total=200, bad=bad_on),
            control=Tally(total=1800, bad=bad_off),
        )
        state = advance_evidence(state, counts, guard)
    return state


def test_healthy_guards_advance_once_the_time_is_up():
    pairs = [(ERRORS, after(ERRORS, 2, 18)), (JOBS, after(JOBS, 2, 18)), (CPU, CALM)]
    assert survey(pairs).decision is Decision.WAIT
    panel = survey(pairs, time_is_up=True)
    assert panel.decision is Decision.ADVANCE
    assert panel.standings == dict.fromkeys(("5xx", "jobs", "cpu"), Standing.HEALTHY)


def test_harm_that_no_guard_proves_alone_is_proven_together():
    state = after(ERRORS, 3, 18, polls=49)
    alone = survey([(ERRORS, state)])
    assert alone.standings["5xx"] is not Standing.HARMFUL
    assert alone.decision is Decision.WAIT
    both = survey([(ERRORS, state), (JOBS, after(JOBS, 3, 18, polls=49))])
    assert both.together.proven == ()
    assert both.together.harmful
    assert both.decision is Decision.ROLLBACK


def test_what_is_too_small_to_act_on_adds_nothing():
    guard = replace(ERRORS, share=1.0, min_excess=0.05)
    panel = survey([(guard, after(guard, 8, 18))])
    assert panel.together.evidence <= 1
    assert panel.decision is not Decision.ROLLBACK


@pytest.mark.parametrize(
    ("change", "decision"),
    [
        ({"dry_run": True}, Decision.ADVANCE),
        ({"on_harm": Response.HOLD}, Decision.HOLD),
        ({"on_harm": Response.NOTIFY}, Decision.ADVANCE),
        ({}, Decision.ROLLBACK),
    ],
)
def test_a_guard_that_may_not_roll_back_does_not(change, decision):
    guard = replace(ERRORS, **change)
    panel = survey([(guard, after(guard, 8, 18)), (CPU, CALM)], time_is_up=True)
    assert panel.standings["5xx"] is Standing.HARMFUL
    assert panel.decision is decision


def test_doubt_and_missing_data_hold():
    few = after(ERRORS, 0, 0, polls=2)
    assert survey([(ERRORS, few)], time_is_up=True).decision is Decision.WAIT
    assert survey([(ERRORS, few)], time_is_up=True, max_time=20).decision is Decision.HOLD
    onward = survey([(ERRORS, few)], time_is_up=True, max_time=20, on_inconclusive=Response.ADVANCE)
    assert onward.decision is Decision.ADVANCE
    gone = after(ERRORS, 2, 18)
    for poll in (41, 42, 43):
        gone = advance_evidence(
            gone, Missing(poll=poll, elapsed=15.0 * poll, reason="gone"), ERRORS
        )
    assert survey([(ERRORS, gone), (CPU, CALM)], time_is_up=True).decision is Decision.HOLD


def test_durations_count_with_the_others():
    rng, guard, state = Random(1), DurationGuard(name="slow", share=1.0), DurationEvidence()
    for poll in range(1, 40):
        seen = Durations(
            poll=poll,
            elapsed=15.0 * poll,
            treatment=tuple(rng.lognormvariate(0.6, 0.5) for _ in range(20)),
            control=tuple(rng.lognormvariate(0, 0.5) for _ in range(80)),
        )
        state = advance_durations(state, seen, guard)
    panel = survey([(guard, state)])
    assert panel.decision is Decision.ROLLBACK
    assert panel.together.proven == ("slow",)


def test_states_of_another_guard_are_refused():
    with pytest.raises(TypeError, match="another kind"):
        survey([(ERRORS, CALM)])


def test_a_histogram_becomes_counts_above_its_bounds():
    edges, cumulative = (0.1, 0.5, 1.0, inf), (10, 90, 98, 100)
    assert slow_calls(edges, cumulative, (0.5, 1.0)) == (
        Tally(total=100, bad=10),
        Tally(total=100, bad=2),
    )
    with pytest.raises(ValueError, match=r"0\.3 s is no edge .* 0\.1, 0\.5, 1, inf"):
        slow_calls(edges, cumulative, (0.3,))
    with pytest.raises(ValueError, match="partial"):
        slow_calls(edges, (10, 9, 98, 100), (0.5,))


def test_a_guard_on_durations_becomes_one_for_each_bound():
    guards = bucket_guards(DurationGuard(name="jobs", bounds=(1.0, 5.0), share=0.4))
    assert [each.name for each in guards] == ["jobs over 1 s", "jobs over 5 s"]
    assert sum(each.share for each in guards) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="has no bounds"):
        bucket_guards(DurationGuard(name="jobs"))
