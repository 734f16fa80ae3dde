"""Is what a stage can show said before it starts?"""

from __future__ import annotations

from math import inf

import pytest

from flagstaff.rollouts.evidence.planner import (
    advice,
    detectable,
    information,
    least_requests,
    reach,
)


@pytest.mark.parametrize(
    ("base", "share", "ratios"),
    [
        (0.001, 0.01, (23.62, 5.62, 2.16)),
        (0.005, 0.10, (2.87, 1.51, 1.15)),
        (0.010, 0.10, (2.24, 1.35, 1.11)),
        (0.050, 0.50, (1.29, 1.09, 1.03)),
    ],
)
def test_smallest_ratio_a_stage_of_a_quarter_of_an_hour_finds(base, share, ratios):
    got = [detectable(base, share, rate * 900, 0.05) for rate in (10, 100, 1000)]
    assert got == pytest.approx(ratios, abs=0.006)


@pytest.mark.parametrize(
    ("base", "ratio", "share", "requests"),
    [
        (0.01, 2, 0.1, 8748),
        (0.001, 5, 0.01, 75342),
        (0.01, 10, 0.5, 133),
        (0.005, 1.1, 0.5, 500452),
    ],
)
def test_no_rule_needs_fewer_requests_on_average(base, ratio, share, requests):
    assert least_requests(base, ratio, share, 0.05) == pytest.approx(requests, rel=0.004)


def test_what_is_within_the_margin_cannot_be_told():
    assert information(0.01, 1.1, 0.1, margin=1.1) == pytest.approx(0, abs=1e-12)
    assert least_requests(0.01, 1.0, 0.1, 0.05) > 1e9


def test_a_stage_with_enough_traffic_needs_no_advice():
    stage = reach(base=0.01, share=0.1, rate=100, seconds=900)
    assert 1.1 < stage.detectable < 2
    assert stage.safe_after < 900
    assert advice(stage, 3600) == ()


def test_a_stage_that_cannot_tell_says_so():
    first, second = advice(reach(base=0.001, share=0.01, rate=10, seconds=900), 3600)
    assert first == (
        "the stage at 0.01 sees harm from 24x on in 9,000 requests, not 2x: "
        "make it longer, or begin with more people"
    )
    assert second.startswith("the stage at 0.01 needs ")
    assert second.endswith(
        " min to show that it is safe, but may last 60 min: it will wait for a person"
    )


@pytest.mark.parametrize("unknown", [{"base": 0.0}, {"share": 1.0}, {"rate": 0.0}])
def test_a_stage_without_comparison_shows_nothing(unknown):
    stage = reach(**{"base": 0.01, "share": 0.1, "rate": 10.0, "seconds": 900.0, **unknown})
    assert (stage.detectable, stage.safe_after) == (inf, inf)
    assert any("sees no harm" in each for each in advice(stage, 60))
    assert any("for ever" in each for each in advice(stage, 60))
