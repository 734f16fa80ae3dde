"""What holds for evidence whatever is counted?"""

from __future__ import annotations

import json
from dataclasses import replace
from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.evidence.bets import Direction, harm_bets
from flagstaff.rollouts.evidence.counts import Counts, Missing, Tally
from flagstaff.rollouts.evidence.judging import judge, standing
from flagstaff.rollouts.evidence.likelihood import binomial, hypergeometric
from flagstaff.rollouts.evidence.ratio import Evidence, advance_evidence, log_harm
from flagstaff.rollouts.evidence.settings import Model, RatioGuard
from flagstaff.rollouts.evidence.standing import Decision, Says, Standing, decide


@st.composite
def tallies(draw, most=400):
    total = draw(st.integers(0, most))
    return Tally(total=total, bad=draw(st.integers(0, total)))


@st.composite
def histories(draw, least=0, most=12):
    readings, elapsed, stage = [], 0.0, 0
    for poll in range(draw(st.integers(least, most))):
        elapsed += draw(st.integers(1, 600))
        stage += draw(st.booleans()) and draw(st.booleans())
        if draw(st.integers(0, 5)):
            on, off = draw(tallies()), draw(tallies())
            units = draw(st.none() | st.integers(0, int(on.bad)))
            reading = Counts(
                poll=poll, elapsed=elapsed, stage=stage, treatment=on, control=off, units=units
            )
        else:
            reading = Missing(poll=poll, elapsed=elapsed, stage=stage, reason="gone")
        readings.append(reading)
    return readings


GUARDS = st.builds(
    RatioGuard,
    name=st.just("g"),
    direction=st.sampled_from(Direction),
    model=st.sampled_from(Model),
    harm_ratio=st.sampled_from([1.0, 1.1, 2.0]),
    safe_ratio=st.sampled_from([1.2, 4.0]),
    safe_below=st.sampled_from([0.0, 0.01]),
)


def run(readings, guard, state=None):
    state = state or Evidence()
    for each in readings:
        state = advance_evidence(state, each, guard)
    return state


@given(histories(), GUARDS)
def test_every_number_is_finite_and_every_state_can_be_told(readings, guard):
    state = run(readings, guard)
    json.dumps(encode(state), allow_nan=False)
    finding = judge(state, guard, max_time=60)
    assert isfinite(finding.harm)
    assert finding.ratio.low <= finding.ratio.estimate
    assert finding.ratio.high is None or finding.ratio.estimate <= finding.ratio.high
    json.dumps(encode(finding), allow_nan=False)


@given(histories(), GUARDS, st.data())
def test_dying_between_reading_and_committing_changes_nothing(readings, guard, data):
    """A crash forgets what was not committed and reads again; some polls are delivered twice."""
    committed = encode(Evidence())
    for each in readings:
        for _ in range(data.draw(st.integers(0, 2))):
            advance_evidence(decode(committed, Evidence), each, guard)
        state = advance_evidence(decode(committed, Evidence), each, guard)
        if data.draw(st.booleans()):
            state = advance_evidence(state, each, guard)
        committed = json.loads(json.dumps(encode(state)))
    assert decode(committed, Evidence) == run(readings, guard)


@given(histories(least=1), GUARDS)
def test_a_poll_without_events_or_data_moves_no_bet(readings, guard):
    state = run(readings, guard)
    again = replace(
        state, open_treatment=Tally(), open_control=Tally(), poll=state.poll, harmful_at=None
    )
    empty = Counts(poll=again.poll + 1, elapsed=again.elapsed, stage=again.stage)
    after = advance_evidence(again, empty, guard)
    assert after.curve == again.curve
    gone = Missing(poll=again.poll + 1, elapsed=again.elapsed, stage=again.stage, reason="x")
    after = advance_evidence(again, gone, guard)
    assert (after.harm, after.safe, after.curve) == (again.harm, again.safe, again.curve)


@given(tallies(), tallies(), st.sampled_from([1.0, 1.1, 2.0]), st.booleans())
def test_one_more_failure_with_the_flag_on_is_never_less_evidence(on, off, margin, exact):
    """Of as many failures in all, as the comparison is made given their number."""
    if not off.bad or on.bad >= on.total:
        return
    bets = harm_bets(margin, Direction.UP)
    measure = hypergeometric if exact else binomial
    fewer = bets.gains(measure(on, off, bets.log_ratios, bets.ratios))
    moved = replace(on, bad=on.bad + 1), replace(off, bad=off.bad - 1)
    more = bets.gains(measure(*moved, bets.log_ratios, bets.ratios))
    assert all(a <= b + 1e-9 for a, b in zip(fewer, more, strict=True))


@given(histories(least=1), GUARDS)
def test_the_whole_is_at_least_each_bet_times_its_stake(readings, guard):
    state = run(readings, guard)
    bets = harm_bets(guard.harm_ratio, guard.direction)
    parts = [a + b for a, b in zip(bets.log_stakes, state.harm, strict=False)]
    assert all(log_harm(state, guard) >= part - 1e-9 for part in parts)


@given(histories(), histories(), GUARDS)
def test_harm_stays(readings, later, guard):
    state = run(readings, guard)
    moved = [
        replace(each, poll=each.poll + 100, elapsed=each.elapsed + 1e5, stage=each.stage + 50)
        for each in later
    ]
    if standing(state, guard) is Standing.HARMFUL:
        assert standing(run(moved, guard, state), guard) is Standing.HARMFUL


@given(st.lists(st.builds(Says, standing=st.sampled_from(Standing)), min_size=1))
def test_nothing_advances_past_missing_data(watches):
    decision = decide(tuple(watches))
    seen = {each.standing for each in watches}
    if Standing.NO_DATA in seen:
        assert decision in {Decision.HOLD, Decision.ROLLBACK}
    assert (decision is Decision.ADVANCE) == (seen == {Standing.HEALTHY})
