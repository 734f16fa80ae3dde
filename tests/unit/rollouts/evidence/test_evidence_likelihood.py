"""Do the likelihood ratios add up to at most one when nothing is wrong?"""

from __future__ import annotations

from math import comb, exp, log

import pytest

from flagstaff.rollouts.evidence.bets import Direction, harm_bets, safe_bets
from flagstaff.rollouts.evidence.counts import Tally
from flagstaff.rollouts.evidence.likelihood import binomial, hypergeometric

RATIOS = (0.25, 0.8, 1.0, 1.5, 4.0)
LOGS = tuple(log(each) for each in RATIOS)


def sides(on, off, bad_on, bad_off):
    return Tally(total=on, bad=bad_on), Tally(total=off, bad=bad_off)


@pytest.mark.parametrize(("on", "off", "bad"), [(10, 90, 1), (10, 90, 7), (300, 20, 12), (1, 1, 2)])
def test_binomial_ratios_average_to_one_over_all_ways_the_events_fall(on, off, bad):
    for null, log_null in zip(RATIOS, LOGS, strict=True):
        share = null * on / (null * on + off)
        means = [0.0] * len(RATIOS)
        for x in range(bad + 1):
            chance = comb(bad, x) * share**x * (1 - share) ** (bad - x)
            got = binomial(*sides(on, off, x, bad - x), (*LOGS, log_null), (*RATIOS, null))
            for each, value in enumerate(got[:-1]):
                means[each] += chance * exp(value - got[-1])
        assert means == pytest.approx([1.0] * len(RATIOS))


@pytest.mark.parametrize(("on", "off", "bad"), [(6, 9, 4), (3, 40, 20), (20, 5, 12), (12, 12, 23)])
def test_hypergeometric_ratios_average_to_one_over_all_ways_the_events_fall(on, off, bad):
    support = range(max(0, bad - off), min(on, bad) + 1)
    for null, log_null in zip(RATIOS, LOGS, strict=True):
        weights = {x: comb(on, x) * comb(off, bad - x) * null**x for x in support}
        means = [0.0] * len(RATIOS)
        for x, weight in weights.items():
            got = hypergeometric(*sides(on, off, x, bad - x), (*LOGS, log_null), (*RATIOS, null))
            for each, value in enumerate(got[:-1]):
                means[each] += weight / sum(weights.values()) * exp(value - got[-1])
        assert means == pytest.approx([1.0] * len(RATIOS))


@pytest.mark.parametrize("margin", [1.0, 1.1, 2.0])
@pytest.mark.parametrize("rate", [0.01, 0.2, 0.45])
def test_no_bet_on_harm_gains_on_average_at_the_margin_over_bernoulli_trials(margin, rate):
    on, off = 4, 9
    bets = harm_bets(margin, Direction.UP)
    means = [0.0] * len(bets.log_stakes)
    for x in range(on + 1):
        for y in range(off + 1):
            chance = _chance(on, x, margin * rate) * _chance(off, y, rate)
            got = binomial(*sides(on, off, x, y), bets.log_ratios, bets.ratios)
            for each, gain in enumerate(bets.gains(got)):
                means[each] += chance * exp(gain)
    assert max(means) <= 1 + 1e-12


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.45])
def test_no_bet_on_safety_gains_on_average_at_the_margin_over_bernoulli_trials(rate):
    on, off, margin = 4, 9, 2.0
    bets = safe_bets(margin, Direction.UP)
    means = [0.0] * len(bets.log_stakes)
    for x in range(on + 1):
        for y in range(off + 1):
            chance = _chance(on, x, margin * rate) * _chance(off, y, rate)
            got = binomial(*sides(on, off, x, y), bets.log_ratios, bets.ratios)
            for each, gain in enumerate(bets.gains(got)):
                means[each] += chance * exp(gain)
    assert max(means) <= 1 + 1e-12


def _chance(total, bad, rate):
    return comb(total, bad) * rate**bad * (1 - rate) ** (total - bad)


def test_bets_mirror_each_other_and_stake_everything():
    up, down, both = (harm_bets(1.1, each) for each in Direction)
    assert down.ratios == pytest.approx([1 / each for each in up.ratios])
    for bets in (up, down, both, safe_bets(1.5, Direction.UP)):
        assert sum(exp(stake) for stake in bets.log_stakes) == pytest.approx(1)
    assert min(up.ratios[:16]) > 1.1
    assert max(safe_bets(1.5, Direction.UP).ratios[:9]) < 1.5


def test_one_side_alone_tells_nothing():
    for of in (binomial, hypergeometric):
        assert of(*sides(0, 90, 0, 5), LOGS, RATIOS) == [0.0] * 5
        assert of(*sides(90, 0, 5, 0), LOGS, RATIOS) == [0.0] * 5
        assert of(*sides(50, 50, 0, 0), LOGS, RATIOS) == [0.0] * 5


def test_large_counts_stay_finite_and_agree_where_events_are_rare():
    pair = sides(2_000_000, 9_000_000, 900, 2000)
    rare = binomial(*pair, LOGS, RATIOS)
    assert hypergeometric(*pair, LOGS, RATIOS) == pytest.approx(rare, rel=2e-3, abs=0.5)
    many = hypergeometric(*sides(500_000, 500_000, 300_000, 299_000), LOGS, RATIOS)
    assert all(abs(each) < 1e7 for each in many)


@pytest.mark.parametrize(
    ("total", "bad"), [(-1, 0), (5, -1), (float("nan"), 0), (5, float("inf")), (0, 1)]
)
def test_what_is_no_count_is_refused(total, bad):
    with pytest.raises(ValueError, match=r"no count|exposure"):
        Tally(total=total, bad=bad)


def test_more_bad_than_there_is_fits_no_exact_likelihood():
    with pytest.raises(ValueError, match="no shares"):
        hypergeometric(*sides(5, 5, 6, 0), LOGS, RATIOS)


def test_margins_that_mean_nothing_are_refused():
    with pytest.raises(ValueError, match="1 or more"):
        harm_bets(0.9, Direction.UP)
    with pytest.raises(ValueError, match="more than 1"):
        safe_bets(1.0, Direction.UP)
