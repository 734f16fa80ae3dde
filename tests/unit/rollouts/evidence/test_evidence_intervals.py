"""Do the intervals shown to people hold what they promise?"""

from __future__ import annotations

from math import log
from random import Random

import pytest

from flagstaff.rollouts.evidence import curve as curves
from flagstaff.rollouts.evidence.below import evidence_below
from flagstaff.rollouts.evidence.confidence import difference, rate_interval, ratio_interval
from flagstaff.rollouts.evidence.counts import Tally
from flagstaff.rollouts.evidence.likelihood import binomial


def curve_of(*polls):
    curve = curves.FLAT
    for on, bad_on, off, bad_off in polls:
        sides = Tally(total=on, bad=bad_on), Tally(total=off, bad=bad_off)
        more = binomial(*sides, curves.LOG_RATIOS, curves.RATIOS)
        curve = tuple(old + new for old, new in zip(curve, more, strict=True))
    return curve


@pytest.mark.parametrize("ratio", [0.03, 0.5, 1.0, 1.07, 3.3, 30.0])
def test_two_dozen_numbers_hold_the_likelihood_of_every_ratio(ratio):
    polls = [(100, 20, 9900, 400), (5000, 300, 5000, 150), (9000, 700, 1000, 20)]
    direct = sum(
        binomial(Tally(total=a, bad=x), Tally(total=b, bad=y), (log(ratio),), (ratio,))[0]
        for a, x, b, y in polls
    )
    assert curves.at(curve_of(*polls), log(ratio)) == pytest.approx(direct, abs=1e-3)


def test_the_estimate_is_the_plain_ratio_when_the_share_stays():
    interval = ratio_interval(curve_of((100, 3, 900, 9), (200, 7, 1800, 31)), 0.05)
    assert interval.estimate == pytest.approx((10 / 300) / (40 / 2700), rel=1e-6)
    assert interval.low < interval.estimate < interval.high


def test_more_data_and_more_risk_make_it_narrower():
    few, many = curve_of((100, 10, 900, 45)), curve_of((1000, 100, 9000, 450))
    wide, narrow = ratio_interval(few, 0.05), ratio_interval(many, 0.05)
    assert wide.low < narrow.low < narrow.high < wide.high
    risky = ratio_interval(many, 0.2)
    assert narrow.low < risky.low < risky.high < narrow.high


def test_ends_that_nothing_bounds_are_open():
    nothing = ratio_interval(curves.FLAT, 0.05)
    assert (nothing.low, nothing.high) == (0.0, None)
    assert ratio_interval(curve_of((900, 9, 900, 0)), 0.05).high is None
    assert ratio_interval(curve_of((900, 0, 900, 9)), 0.05).low == 0.0


def test_a_million_events_still_give_an_interval():
    interval = ratio_interval(curve_of((10**8, 10**6, 10**8, 10**6)), 0.05)
    assert 0.99 < interval.low < 1 < interval.high < 1.01


@pytest.mark.parametrize("truth", [0.5, 1.0, 2.0])
def test_the_truth_is_rarely_ever_outside(truth):
    rng, missed, runs = Random(8), 0, 100
    for _ in range(runs):
        curve, inside = curves.FLAT, True
        for look in range(20):
            bad_on = sum(rng.random() < 0.1 * truth for _ in range(30))
            bad_off = sum(rng.random() < 0.1 for _ in range(70))
            on, off = Tally(total=30, bad=bad_on), Tally(total=70, bad=bad_off)
            more = binomial(on, off, curves.LOG_RATIOS, curves.RATIOS)
            curve = tuple(old + new for old, new in zip(curve, more, strict=True))
            if look % 5 == 4:
                interval = ratio_interval(curve, 0.1)
                inside = inside and interval.low <= truth <= interval.high
        missed += not inside
    assert missed / runs <= 0.1


def test_a_rate_lies_in_its_interval():
    interval = rate_interval(Tally(total=1000, bad=10), 0.05)
    assert 0.001 < interval.low < 0.01 < interval.high < 0.03
    assert rate_interval(Tally(), 0.05).high == pytest.approx(1)
    assert rate_interval(Tally(total=9), 0.05).low == 0
    assert rate_interval(Tally(total=9, bad=9), 0.05).high == 1


def test_a_difference_has_the_sign_of_its_ratio():
    control = Tally(total=21602, bad=232)
    ratio = ratio_interval(curve_of((2389, 50, 21602, 232)), 0.025)
    interval = difference(ratio, control, 0.05)
    assert 0 < interval.low < 0.0102 < interval.high < 0.05
    assert interval.estimate == pytest.approx(50 / 2389 - 232 / 21602, rel=1e-6)
    nothing = difference(ratio_interval(curves.FLAT, 0.05), Tally(), 0.05)
    assert (nothing.low, nothing.high) == (pytest.approx(-1), 1.0)


def test_evidence_of_a_low_rate_averages_to_at_most_one_at_the_level():
    mean = 0.0
    for x in range(21):
        chance = _binomial(20, x, 0.1)
        mean += chance * 2.718281828459045 ** evidence_below(Tally(total=20, bad=x), 0.1)
    assert mean == pytest.approx(1)
    assert evidence_below(Tally(), 0.1) == pytest.approx(0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        evidence_below(Tally(total=9), 0.0)


def _binomial(total, bad, rate):
    chance = 1.0
    for each in range(bad):
        chance *= (total - each) / (each + 1)
    return chance * rate**bad * (1 - rate) ** (total - bad)
