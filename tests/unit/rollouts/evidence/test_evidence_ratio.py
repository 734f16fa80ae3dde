"""Does evidence grow with harm, forget nothing, and count nothing twice?"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from math import log

import pytest

from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.evidence.bets import Direction
from flagstaff.rollouts.evidence.counts import Counts, Missing, Tally
from flagstaff.rollouts.evidence.judging import judge, standing
from flagstaff.rollouts.evidence.message import rolled_back, sentence
from flagstaff.rollouts.evidence.onset import Onset
from flagstaff.rollouts.evidence.ratio import (
    LEAST_EXPOSURE,
    Evidence,
    advance_evidence,
    log_harm,
    log_safe,
)
from flagstaff.rollouts.evidence.settings import Model, RatioGuard
from flagstaff.rollouts.evidence.standing import Standing
from flagstaff.rollouts.guard import Verdict

GUARD = RatioGuard(name="5xx")


def poll(number, on, bad_on, off, bad_off, **more):
    return Counts(
        poll=number,
        elapsed=15.0 * number,
        treatment=Tally(total=on, bad=bad_on),
        control=Tally(total=off, bad=bad_off),
        **more,
    )


def after(*readings, guard=GUARD):
    state = Evidence()
    for reading in readings:
        state = advance_evidence(state, reading, guard)
    return state


HARMED = poll(16, 2389, 50, 21602, 232)


def test_harm_is_said_with_its_evidence():
    finding = judge(after(HARMED), GUARD)
    assert finding.standing is Standing.HARMFUL
    assert finding.verdict is Verdict.FAIL
    assert rolled_back(finding, 240, 10) == (
        "Rolled back after 4 min at 10 %: 5xx with the flag on 1.95x flag off (95 % confidence "
        "1.1-3.2x), 50 of 2,389 requests against 232 of 21,602; evidence 46 : 1, limit 20 : 1. "
        "About 24 extra failures reached users."
    )


def test_no_difference_becomes_healthy_and_never_harmful():
    state = after(*(poll(each, 150, 2, 1350, 18) for each in range(1, 200)))
    finding = judge(state, GUARD)
    assert finding.standing is Standing.HEALTHY
    assert finding.verdict is Verdict.PASS
    assert finding.harm < 1
    assert finding.ratio.low < 1 < finding.ratio.high < 1.5
    assert finding.difference.low < 0 < finding.difference.high
    assert finding.extra == pytest.approx(0)
    assert "evidence of safety more than 10,000 : 1, asked for 10 : 1" in sentence(finding)


def test_nothing_seen_is_neither_healthy_nor_harmful():
    finding = judge(Evidence(), GUARD)
    assert finding.standing is Standing.COLLECTING
    assert (finding.harm, finding.safe) == (1.0, 1.0)
    assert (finding.ratio.low, finding.ratio.high) == (0.0, None)
    assert sentence(finding) == "5xx: nothing to compare yet, 0 of 0 requests against 0 of 0"


def test_a_poll_seen_before_changes_nothing():
    state = after(HARMED)
    assert advance_evidence(state, HARMED, GUARD) is state
    assert advance_evidence(state, replace(HARMED, poll=3), GUARD) is state
    assert advance_evidence(state, Missing(poll=16, elapsed=1, reason="x"), GUARD) is state


def test_state_comes_back_from_json_bit_for_bit():
    polls = [poll(each, 151, 2, 1353, 15, stage=each // 9, units=2) for each in range(1, 40)]
    whole, resumed = Evidence(), Evidence()
    for each in polls:
        whole = advance_evidence(whole, each, GUARD)
        resumed = decode(json.loads(json.dumps(encode(resumed))), Evidence)
        resumed = advance_evidence(resumed, each, GUARD)
    assert resumed == whole
    assert len(json.dumps(asdict(whole), allow_nan=False)) < 2000


def test_splitting_a_poll_in_proportion_changes_no_evidence():
    onset = Onset(first=1.0, stages=0.0, within=0.0, after=0.0)
    guard = replace(GUARD, onset=onset)
    whole = after(poll(1, 300, 9, 2700, 30), guard=guard)
    parts = after(poll(1, 100, 2, 900, 20), poll(2, 200, 7, 1800, 10), guard=guard)
    assert parts.harm == pytest.approx(whole.harm)
    assert parts.safe[0] == pytest.approx(whole.safe[0])
    assert parts.curve == pytest.approx(whole.curve)


def test_small_polls_of_a_stage_are_compared_together():
    few = [poll(each, 1, each == 3, 1, 0) for each in range(1, LEAST_EXPOSURE // 2)]
    state = after(*few)
    assert log_harm(state, GUARD) == pytest.approx(0.0)
    assert state.open_treatment == Tally(total=5, bad=1)
    state = advance_evidence(state, poll(9, 1, 0, 1, 0), GUARD)
    assert log_harm(state, GUARD) > 0
    assert state.open_treatment == Tally()


def test_a_new_stage_closes_what_is_open_and_restarts_safety_only():
    state = after(poll(1, 500, 1, 500, 9), poll(2, 2, 2, 2, 0))
    assert log_safe(state, GUARD) > 1
    harm = log_harm(state, GUARD)
    later = advance_evidence(state, Missing(poll=3, elapsed=45, stage=1, reason="gone"), GUARD)
    assert log_safe(later, GUARD) == 0
    assert later.open_treatment == Tally()
    assert log_harm(later, GUARD) > harm
    assert later.stage_began == 30
    assert later.treatment.total == 502
    assert later.stage_treatment.total == 0


def test_a_base_rate_that_jumps_with_the_percentage_is_no_harm():
    polls = [poll(each, 10, 0, 990, 5) for each in range(1, 60)]
    polls += [poll(each, 500, 25, 500, 25, stage=1) for each in range(60, 120)]
    state = after(*polls)
    pooled = (state.treatment.rate, state.control.rate)
    assert pooled[0] > 2 * pooled[1]
    assert judge(state, GUARD).harm < 1
    assert abs(state.extra) < 10


def test_missing_data_leaves_the_evidence_and_then_says_so():
    state = after(poll(1, 500, 3, 4500, 30))
    before = log_harm(state, GUARD)
    for number in (2, 3, 4):
        state = advance_evidence(
            state, Missing(poll=number, elapsed=15.0 * number, reason="NaN"), GUARD
        )
    assert log_harm(state, GUARD) == before
    finding = judge(state, GUARD)
    assert finding.standing is Standing.NO_DATA
    assert finding.verdict is Verdict.ERROR
    assert sentence(finding) == "5xx: no data: NaN"
    state = advance_evidence(state, poll(5, 500, 3, 4500, 30), GUARD)
    assert standing(state, GUARD) is not Standing.NO_DATA
    late = advance_evidence(state, Missing(poll=6, elapsed=190.0, reason="slow"), GUARD)
    assert standing(late, GUARD) is Standing.NO_DATA


def test_harm_outlasts_missing_data_and_better_times():
    state = after(HARMED)
    for number in range(17, 300):
        state = advance_evidence(state, poll(number, 500, 0, 4500, 45), GUARD)
    assert log_harm(state, GUARD) < 0
    assert standing(state, GUARD) is Standing.HARMFUL
    for number in range(300, 310):
        gone = Missing(poll=number, elapsed=15.0 * number, reason="x")
        state = advance_evidence(state, gone, GUARD)
    assert standing(state, GUARD) is Standing.HARMFUL


@pytest.mark.parametrize(
    "guard",
    [
        replace(GUARD, min_bad=51),
        replace(GUARD, min_excess=0.02),
        replace(GUARD, share=0.2),
        replace(GUARD, false_harm=0.01),
        replace(GUARD, harm_ratio=1.5),
    ],
)
def test_a_stricter_guard_needs_more(guard):
    assert standing(after(HARMED, guard=guard), guard) is not Standing.HARMFUL


@pytest.mark.parametrize(("units", "harmful"), [(2, False), (3, True), (None, True)])
def test_failures_of_a_single_actor_are_not_believed(units, harmful):
    state = after(replace(HARMED, units=units))
    assert (standing(state, GUARD) is Standing.HARMFUL) is harmful


def test_time_without_a_decision_is_inconclusive():
    state = after(poll(1, 50, 0, 450, 1), poll(40, 50, 1, 450, 1))
    assert standing(state, GUARD) is Standing.COLLECTING
    assert standing(state, GUARD, max_time=601) is Standing.COLLECTING
    assert standing(state, GUARD, max_time=600) is Standing.INCONCLUSIVE


def test_a_rate_below_a_fixed_level_is_safe_when_nothing_fails_anywhere():
    polls = [poll(each, 150, 0, 1350, 0) for each in range(1, 20)]
    assert standing(after(*polls), GUARD) is Standing.COLLECTING
    guard = replace(GUARD, safe_below=0.01)
    assert standing(after(*polls, guard=guard), guard) is Standing.HEALTHY
    assert "healthy" not in sentence(judge(after(*polls), GUARD))


def test_direction_says_what_harm_is():
    fewer = poll(1, 2000, 200, 18000, 2600)
    up, down, both = (
        replace(GUARD, direction=each, model=Model.BINOMIAL, safe_ratio=1.5) for each in Direction
    )
    assert standing(after(fewer, guard=up), up) is Standing.HEALTHY
    assert standing(after(fewer, guard=down), down) is Standing.HARMFUL
    assert standing(after(fewer, guard=both), both) is Standing.HARMFUL
    assert log_safe(after(fewer, guard=both), both) < log(10)


def test_high_rates_are_compared_exactly_once_they_are_known():
    redirects = [poll(each, 300, 120, 300, 90) for each in range(1, 4)]
    exact, rough, auto = (
        replace(GUARD, model=each) for each in (Model.EXACT, Model.BINOMIAL, Model.AUTO)
    )
    sure, unsure, mixed = (
        log_harm(after(*redirects, guard=each), each) for each in (exact, rough, auto)
    )
    assert sure > mixed > unsure


def test_evidence_beyond_all_floats_stays_a_number():
    state = after(*(poll(each, 10**6, 10**5, 10**6, 10**3) for each in range(1, 30)))
    finding = judge(state, GUARD)
    assert finding.harm > 1e290
    assert "more than 10,000 : 1" in sentence(finding)
    json.dumps(asdict(state), allow_nan=False)
    calm = after(*(poll(each, 10**6, 10**3, 10**6, 10**5) for each in range(1, 30)))
    assert judge(calm, GUARD).standing is Standing.HEALTHY
    json.dumps(asdict(calm), allow_nan=False)


def test_more_bad_events_than_calls_are_compared_all_the_same():
    polls = [poll(each, 20, 45, 200, 380) for each in range(1, 30)]
    assert log_harm(after(*polls), GUARD) > 0
    exact = replace(GUARD, model=Model.EXACT)
    with pytest.raises(ValueError, match="no shares"):
        after(*polls, guard=exact)


def test_ratios_that_nothing_bounds_are_said_as_such():
    only_on = sentence(judge(after(poll(1, 500, 9, 500, 0)), GUARD))
    assert "5xx with the flag on more than 50x flag off (95 % confidence " in only_on
    assert "x or more), 9 of 500 requests against 0 of 500; evidence " in only_on
    only_off = sentence(judge(after(poll(1, 500, 0, 500, 9)), GUARD))
    assert "5xx with the flag on 0x flag off (95 % confidence 0-" in only_off
