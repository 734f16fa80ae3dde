"""Do guards together, actors, volumes, times before and gauges say what they should?"""

from __future__ import annotations

from math import inf, log
from random import Random

import pytest

from flagstaff.rollouts.evidence.actors import Crowd, first_failures, unit_problem
from flagstaff.rollouts.evidence.counts import Counts, Tally
from flagstaff.rollouts.evidence.onset import USUAL, Onset
from flagstaff.rollouts.evidence.placebo import placebo_limit, strayed
from flagstaff.rollouts.evidence.several import shares, together
from flagstaff.rollouts.evidence.single_arm import BeforeAfter, dispersion, log_more
from flagstaff.rollouts.evidence.standing import Standing
from flagstaff.rollouts.evidence.threshold import Streak, Threshold, advance_streak, streak_standing
from flagstaff.rollouts.evidence.volume import VolumeEvidence, VolumeGuard, advance_volume


def test_guards_share_the_chance_of_a_false_rollback():
    assert shares({"only": 3.0}) == {"only": 1.0}
    three = shares({"a": 2.0, "b": 1.0, "c": 1.0})
    assert three == pytest.approx({"a": 0.45, "b": 0.225, "c": 0.225})
    with pytest.raises(ValueError, match="b must be above 0"):
        shares({"a": 1.0, "b": 0.0})


def test_evidence_of_several_adds_up_where_none_is_enough_alone():
    shared = {"a": 0.4, "b": 0.4}
    alone = together({"a": log(35), "b": 0.0}, shared, 0.05)
    assert not alone.harmful
    both = together({"a": log(35), "b": log(20)}, shared, 0.05)
    assert both.harmful
    assert both.proven == ()
    assert both.largest == "a"
    assert both.evidence == pytest.approx(0.4 * 35 + 0.4 * 20 + 0.2)
    assert both.limit == pytest.approx(20)
    proven = together({"a": log(60), "b": log(0.001)}, shared, 0.05)
    assert proven.harmful
    assert proven.proven == ("a",)


def test_the_mean_of_nothing_is_no_evidence():
    nothing = together({}, {}, 0.05)
    assert (nothing.evidence, nothing.harmful, nothing.largest) == (1.0, False, "")


def test_actors_count_once_and_leave():
    counts = first_failures(
        Crowd(enrolled=100, failed_before=4, failed_now=2),
        Crowd(enrolled=900, failed_before=30, failed_now=1),
        poll=3,
        elapsed=45.0,
        stage=1,
    )
    assert counts.treatment == Tally(total=96, bad=2)
    assert counts.control == Tally(total=870, bad=1)
    assert (counts.units, counts.stage) == (2, 1)
    with pytest.raises(ValueError, match="each counts once"):
        first_failures(Crowd(enrolled=3, failed_now=4), Crowd(enrolled=9), poll=1, elapsed=1)


def test_calls_are_the_wrong_unit_for_a_flag_that_stays():
    assert "calls are counted" in unit_problem(sticky=True, counts_actors=False)
    assert not unit_problem(sticky=True, counts_actors=True)
    assert not unit_problem(sticky=False, counts_actors=False)


def volume(polls, share=0.1):
    state, guard = VolumeEvidence(), VolumeGuard()
    for number, (on, off) in enumerate(polls, 1):
        counts = Counts(
            poll=number,
            elapsed=15.0 * number,
            treatment=Tally(total=on),
            control=Tally(total=off),
        )
        state = advance_volume(state, counts, share, guard)
        assert advance_volume(state, counts, share, guard) is state
    return state


def test_a_split_that_is_not_the_configured_one_is_seen_both_ways():
    assert volume([(100, 900)] * 50).off_at is None
    assert volume([(105, 900)] * 50).off_at is None
    assert volume([(160, 900)] * 20).off_at is not None
    assert volume([(60, 900)] * 20).off_at is not None


def test_a_cohort_nobody_is_in_is_silent_and_then_dead():
    states = [volume([(10, 90), (0, 100), (0, 90), *[(0, 90)] * more]) for more in range(3)]
    assert [each.silent for each in states] == [True, True, True]
    assert [each.dead for each in states] == [False, False, True]
    assert not volume([(0, 90), (0, 89), (1, 90), (0, 90)]).silent


def test_more_than_before_needs_more_than_the_margin():
    guard = BeforeAfter()
    before = Tally(total=120, bad=240)
    assert log_more(before, Tally(total=10, bad=20), guard) < log(20)
    assert log_more(before, Tally(total=10, bad=30), guard) < log(20)
    much = log_more(before, Tally(total=10, bad=70), guard)
    assert much > log(20)
    assert log_more(before, Tally(total=10, bad=70), BeforeAfter(dispersion=4.0)) < much / 2


def test_dispersion_takes_days_and_hours_out():
    rng = Random(2)
    tidy = [[5 * hour * (2 if day == 3 else 1) for hour in range(1, 25)] for day in range(7)]
    assert dispersion(tidy) == 1.0
    poisson = [[sum(rng.random() < 0.2 for _ in range(100)) for _ in range(96)] for _ in range(7)]
    assert dispersion(poisson) == 1.0
    bursts = [[4 * sum(rng.random() < 0.05 for _ in range(100)) for _ in range(96)]] * 1
    bursts += [[4 * sum(rng.random() < 0.05 for _ in range(100)) for _ in range(96)]] * 1
    assert 3 < dispersion(bursts) < 5
    assert dispersion([[0, 0], [0, 0]]) == 1.0
    for wrong in ([], [[1, 2]], [[1, 2], [1]], [[1], [2]]):
        with pytest.raises(ValueError, match="two days"):
            dispersion(wrong)


def test_a_gauge_is_measured_against_quiet_windows():
    rng = Random(9)

    def window(length, step=0.0):
        return [50 + rng.gauss(0, 5) + step for _ in range(length)]

    scores = [strayed(window(120), window(120)) for _ in range(60)]
    limit = placebo_limit(scores, 0.05)
    assert 0 < limit < inf
    beyond = sum(strayed(window(120), window(120)) > limit for _ in range(100))
    assert beyond <= 12
    assert strayed(window(120), window(30, step=25)) > limit
    assert strayed(window(120), [0.0] * 10) == 0.0
    assert strayed([3.0] * 20, [4.0] * 6) == inf
    with pytest.raises(ValueError, match="too few"):
        strayed([1.0] * 5, [2.0])


def test_too_few_windows_set_no_limit():
    assert placebo_limit(list(range(18)), 0.05) == inf
    assert placebo_limit(list(range(19)), 0.05) == 18
    assert placebo_limit(list(range(99)), 0.01) == 98


def test_a_number_too_high_for_too_long_is_harm_until_it_falls():
    guard, state, seen = Threshold(name="cpu", most=0.85, polls=3), Streak(), []
    values = [0.5, 0.9, 0.9, None, 0.9, 0.9, 0.5, float("nan"), None, None]
    for poll, value in enumerate(values):
        state = advance_streak(state, poll, value, guard)
        assert advance_streak(state, poll, 99.0, guard) is state
        seen.append(streak_standing(state, guard))
    healthy, harmful = Standing.HEALTHY, Standing.HARMFUL
    assert seen[:7] == [healthy] * 4 + [harmful] * 2 + [healthy]
    assert seen[7:] == [healthy, healthy, Standing.NO_DATA]
    assert streak_standing(Streak(), guard) is Standing.COLLECTING


def test_the_whole_stake_is_spread_and_never_taken_back():
    onset = Onset(first=0.5, stages=0.2, within=0.2, after=0.1, planned=100.0)
    assert onset.unstaked(0, 0) == pytest.approx(0.5)
    left = [onset.unstaked(time, stage) for stage in range(4) for time in range(0, 400, 7)]
    assert all(0 < each <= 0.5 for each in left)
    assert onset.unstaked(50, 0) == pytest.approx(0.4)
    assert onset.unstaked(400, 1) == pytest.approx(0.1 + 0.05)
    assert onset.unstaked(1e12, 5000) < 1e-5
    assert USUAL.first + USUAL.stages + USUAL.within + USUAL.after == pytest.approx(1)
