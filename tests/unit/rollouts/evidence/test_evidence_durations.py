"""Are slower calls seen, and calls as fast as ever left alone?"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import combinations
from math import exp, isfinite
from random import Random

import pytest

from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.evidence.counts import Missing
from flagstaff.rollouts.evidence.durations import (
    LEAST_CALLS,
    DurationEvidence,
    DurationGuard,
    Durations,
    advance_durations,
    duration_standing,
    log_slower,
)
from flagstaff.rollouts.evidence.message import slower_sentence
from flagstaff.rollouts.evidence.ranks import EFFECTS, log_mean, pairs_won, rank_gains
from flagstaff.rollouts.evidence.standing import Standing

GUARD = DurationGuard(name="jobs", margin=1.0, bounds=(0.2, 0.5))


def calls(number, *, rng, times=1.0, on=40, off=160, tail=0.0, stage=0):
    def some(count, scale, late):
        return tuple(
            rng.lognormvariate(-2.3, 0.6) * scale + (1.0 if rng.random() < late else 0.0)
            for _ in range(count)
        )

    return Durations(
        poll=number,
        elapsed=15.0 * number,
        stage=stage,
        treatment=some(on, times, tail),
        control=some(off, 1.0, 0.0),
    )


def watch(polls, guard=GUARD):
    state = DurationEvidence()
    for each in polls:
        state = advance_durations(state, each, guard)
    return state


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (4, 3), (1, 6)])
def test_rank_evidence_averages_to_one_over_all_orders(m, n):
    orders = list(combinations(range(m + n), m))
    for slower in (True, False):
        means = [0.0] * len(EFFECTS)
        for places in orders:
            rest = [each for each in range(m + n) if each not in places]
            for each, gain in enumerate(rank_gains(places, rest, slower=slower)):
                means[each] += exp(gain) / len(orders)
        assert means == pytest.approx([1.0] * len(EFFECTS))


@pytest.mark.parametrize("values", [(1, 1, 1, 2, 3), (5, 5, 5, 5, 5), (1, 1, 2, 2, 2)])
def test_ties_never_add_evidence(values):
    orders = list(combinations(range(5), 2))
    means = [0.0] * len(EFFECTS)
    for places in orders:
        rest = [values[each] for each in range(5) if each not in places]
        got = rank_gains([values[each] for each in places], rest)
        for each, gain in enumerate(got):
            means[each] += exp(gain) / len(orders)
    assert max(means) <= 1 + 1e-12


def test_pairs_count_ties_for_one_half():
    assert pairs_won([3.0, 1.0], [1.0, 2.0]) == 2.5
    assert rank_gains([], [1.0]) == [0.0] * len(EFFECTS)


def test_large_polls_stay_finite():
    assert log_mean(5000, 40000, 12 * 0.45 / 45001) == pytest.approx(
        log_mean(40000, 5000, 12 * 0.45 / 45001)
    )
    assert all(isfinite(log_mean(300, 300, 12 * each / 601)) for each in EFFECTS)


def test_slower_calls_are_harm():
    rng = Random(3)
    state = watch(calls(each, rng=rng, times=1.3) for each in range(1, 60))
    assert duration_standing(state, GUARD) is Standing.HARMFUL
    assert state.harmful_at < 300
    said = slower_sentence(state, GUARD)
    assert re.search(r"in 6\d % of pairs the one with the flag on took longer, .* calls", said)


def test_a_slow_tail_is_seen_by_the_bounds_alone():
    rng = Random(4)
    polls = [calls(each, rng=rng, tail=0.03) for each in range(1, 80)]
    assert duration_standing(watch(polls), GUARD) is Standing.HARMFUL
    blind = replace(GUARD, bounds=())
    assert duration_standing(watch(polls, blind), blind) is not Standing.HARMFUL


def test_calls_as_fast_as_ever_become_healthy_and_a_new_stage_asks_again():
    rng = Random(5)
    polls = [calls(each, rng=rng) for each in range(1, 60)]
    state = watch(polls)
    assert duration_standing(state, GUARD) is Standing.HEALTHY
    assert log_slower(state) < 0
    state = advance_durations(state, calls(60, rng=rng, stage=1, on=1, off=1), GUARD)
    assert duration_standing(state, GUARD) is Standing.COLLECTING
    assert duration_standing(state, GUARD, max_time=15) is Standing.INCONCLUSIVE


def test_within_the_margin_nothing_is_harm():
    rng = Random(6)
    guard = replace(GUARD, margin=1.5)
    state = watch((calls(each, rng=rng, times=1.4) for each in range(1, 80)), guard)
    assert duration_standing(state, guard) is not Standing.HARMFUL


def test_few_calls_wait_until_they_can_be_ranked():
    rng = Random(7)
    polls = [calls(each, rng=rng, on=1, off=3) for each in range(1, 6)]
    state = watch(polls)
    assert len(state.open_treatment) + len(state.open_control) == 20 < LEAST_CALLS
    assert state.pairs == 0
    state = advance_durations(state, calls(6, rng=rng, on=1, off=3), GUARD)
    assert state.pairs == 6 * 18
    assert state.open_treatment == ()


def test_state_comes_back_from_json_and_a_poll_counts_once():
    rng = Random(8)
    polls = [calls(each, rng=rng, on=3, off=5, stage=each // 7) for each in range(1, 20)]
    whole, resumed = DurationEvidence(), DurationEvidence()
    for each in polls:
        whole = advance_durations(whole, each, GUARD)
        resumed = decode(json.loads(json.dumps(encode(resumed), allow_nan=False)), DurationEvidence)
        resumed = advance_durations(resumed, each, GUARD)
        assert advance_durations(resumed, each, GUARD) is resumed
    assert resumed == whole


def test_no_data_is_said():
    state = watch([Missing(poll=each, elapsed=15.0 * each, reason="gone") for each in range(3)])
    assert duration_standing(state, GUARD) is Standing.NO_DATA
    assert slower_sentence(state, GUARD) == "jobs: no data: gone"
    assert slower_sentence(DurationEvidence(), GUARD) == "jobs: nothing to compare yet"
