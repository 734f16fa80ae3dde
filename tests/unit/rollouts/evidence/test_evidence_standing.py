"""What does the plan do about every combination of standings?"""

from __future__ import annotations

from itertools import product

import pytest

from flagstaff.rollouts.evidence.standing import Decision, Response, Says, Standing, decide

ALL = tuple(product(Standing, repeat=3))


def watches(standings, **more):
    return tuple(Says(standing=each, **more) for each in standings)


@pytest.mark.parametrize("on_inconclusive", [Response.HOLD, Response.ADVANCE, Response.ROLLBACK])
@pytest.mark.parametrize("time_is_up", [False, True])
def test_every_combination_of_three_guards(on_inconclusive, time_is_up):
    for standings in ALL:
        got = decide(watches(standings), time_is_up=time_is_up, on_inconclusive=on_inconclusive)
        seen = set(standings)
        if Standing.HARMFUL in seen:
            assert got is Decision.ROLLBACK
        elif Standing.NO_DATA in seen:
            assert got is Decision.HOLD
        elif Standing.INCONCLUSIVE in seen and on_inconclusive is Response.ROLLBACK:
            assert got is Decision.ROLLBACK
        elif Standing.INCONCLUSIVE in seen and on_inconclusive is Response.HOLD:
            assert got is Decision.HOLD
        elif Standing.COLLECTING in seen or not time_is_up:
            assert got is Decision.WAIT
        else:
            assert got is Decision.ADVANCE


def test_missing_data_never_advances_whatever_is_asked_for():
    for standings in ALL:
        if Standing.NO_DATA not in standings:
            continue
        for on_no_data in Response:
            got = decide(
                watches(standings), on_inconclusive=Response.ADVANCE, on_no_data=on_no_data
            )
            harmed = Standing.HARMFUL in standings or on_no_data is Response.ROLLBACK
            assert got is (Decision.ROLLBACK if harmed else Decision.HOLD)


def test_joint_harm_rolls_back_whatever_the_guards_say():
    for standings in ALL:
        assert decide(watches(standings), joint_harm=True) is Decision.ROLLBACK


def test_a_dry_run_never_decides():
    for standing in Standing:
        assert decide((Says(standing=standing, dry_run=True),)) is Decision.ADVANCE


def test_a_guard_that_is_not_required_holds_nothing_back_but_harm_still_counts():
    for standing in Standing:
        got = decide((Says(standing=standing, required=False),))
        assert got is (Decision.ROLLBACK if standing is Standing.HARMFUL else Decision.ADVANCE)


@pytest.mark.parametrize(
    ("on_harm", "decision"),
    [
        (Response.ROLLBACK, Decision.ROLLBACK),
        (Response.HOLD, Decision.HOLD),
        (Response.NOTIFY, Decision.ADVANCE),
    ],
)
def test_harm_leads_to_what_the_guard_says(on_harm, decision):
    assert decide((Says(standing=Standing.HARMFUL, on_harm=on_harm),)) is decision


def test_a_held_guard_never_outranks_harm_elsewhere():
    harmed = Says(standing=Standing.HARMFUL)
    held = Says(standing=Standing.HARMFUL, on_harm=Response.HOLD)
    assert decide((held, harmed, Says(standing=Standing.NO_DATA))) is Decision.ROLLBACK
