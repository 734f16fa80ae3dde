"""Is a reading that is late counted where it belongs, and its place kept with the evidence?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import GUARD, START, plan_of, ramp
from flagstaff.rollouts.event import Observed, Started
from flagstaff.rollouts.guard import Arm, Exposed, Kept, Measurement, Response
from flagstaff.rollouts.judging import words
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Bake
from flagstaff.rollouts.query import Place, Query
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.rollouts.watching import changed_at, kept_of

ASKING = replace(GUARD, query=Query(source="main"), counts="requests")
SECOND = timedelta(seconds=1)


def measured(total, failed=0, *, at, behind=0, error=""):
    return Measurement(
        guard=ASKING.name,
        treatment=Arm(total=total, failed=failed),
        control=Arm(total=total),
        place=Place(at=START + at * SECOND),
        behind=behind,
        error=error,
    )


def look(rollout, *measurements, at):
    seen = Observed(measurements=measurements)
    return advance(rollout, seen, START + at * SECOND)[0]


@pytest.fixture
def rollout():
    """Return a rollout that set the flag to 10 % at the start, and waits."""
    wait = Bake(duration=timedelta(seconds=100))
    plan = plan_of(ramp(10, "production"), wait, ramp(50, "production"), wait, guards=(ASKING,))
    begun = advance(Rollout.of(plan, rollout_id=7), Started(by="ada"), START)[0]
    return look(look(begun, at=0), at=0)


def test_what_is_kept_says_where_a_reading_ends():
    change = START + 50 * SECOND
    kept = Kept(since=START, changes=(START, change))
    assert kept.read_up_to(START + 40 * SECOND) == START + 40 * SECOND
    assert kept.read_up_to(START + 80 * SECOND) == change
    later = replace(kept, place=Place(at=change))
    assert later.read_up_to(START + 80 * SECOND) == START + 80 * SECOND
    assert [kept.behind(START + each * SECOND) for each in (0, 40, 50, 51)] == [2, 1, 1, 0]


def test_the_place_is_kept_with_the_counts_and_only_with_them(rollout):
    found = look(rollout, measured(10, at=20), at=50)
    assert found.watches[0].place == Place(at=START + 20 * SECOND)
    too_soon = look(found, measured(15, at=25), at=55)
    assert too_soon.watches == found.watches
    failed = look(found, measured(0, at=40, error="away"), at=70)
    assert failed.watches[0].place == Place(at=START + 20 * SECOND)
    assert failed.watches[0].treatment.total == 10


def test_what_is_of_before_the_watch_is_not_read(rollout):
    assert look(rollout, measured(0, at=0, behind=1), at=20).watches == ()


def test_a_source_without_news_is_noted_once_a_minute(rollout):
    found = look(rollout, measured(10, at=0), at=20)
    assert look(found, measured(10, at=30), at=40).watches == found.watches
    later = look(found, measured(10, at=70), at=90)
    assert later.watches[0].place == Place(at=START + 70 * SECOND)
    assert later.watches[0].evidence == found.watches[0].evidence


def test_late_counts_belong_to_the_stage_in_which_they_happened(rollout):
    safe = measured(2_000, at=70)
    rollout = look(rollout, safe, at=80)
    while len(changed_at(rollout)) == 1:
        rollout = look(rollout, measured(2_500, at=90), at=106)
    assert look(rollout, measured(2_500, at=90, behind=1), at=107).watches == rollout.watches
    before = look(rollout, measured(2_600, at=106, behind=1), at=130)
    assert before.watches[0].evidence.stage == 1
    assert before.watches[0].evidence.stage_treatment.total == 2_600
    after = look(before, measured(2_700, at=110), at=145)
    assert after.watches[0].evidence.stage == 2
    assert after.watches[0].evidence.stage_treatment.total == 100


def test_the_words_are_those_of_requests(rollout):
    found = look(rollout, measured(10, 1, at=20), at=50)
    assert "1 of 10 requests against 0 of 10" in words(found, ASKING, START + 50 * SECOND)


def test_a_guard_whose_source_knows_of_failures_only_gets_the_totals_of_another(rollout):
    other = replace(ASKING, name="errors", query=Query(source="web", exposure=ASKING.name))
    found = look(rollout, measured(10, 1, at=20), at=50)
    kept = kept_of(found, other, START, (START,))
    assert kept.exposed == Exposed(treatment=10, control=10, at=START + 20 * SECOND)
    assert kept_of(rollout, other, START, (START,)).exposed is None
    assert kept_of(found, ASKING, START, (START,)).exposed is None


def blind(rollout, *, minutes, **settings):
    """Return the rollout after so many minutes in which its source was away."""
    guard = replace(ASKING, **settings)
    rollout = replace(rollout, plan=replace(rollout.plan, guards=(guard,)))
    rollout = look(rollout, measured(10, at=0), at=1)
    for second in range(30, 60 * minutes + 31, 15):
        rollout = look(rollout, measured(0, at=second, error="away"), at=second)
    return rollout


@pytest.mark.parametrize(
    ("minutes", "settings", "phase"),
    [
        (40, {}, Phase.RUNNING),
        (29, {"on_no_data": Response.ROLLBACK}, Phase.RUNNING),
        (31, {"on_no_data": Response.ROLLBACK}, Phase.ROLLED_BACK),
        (40, {"on_no_data": Response.ROLLBACK, "dry_run": True}, Phase.COMPLETED),
        (31, {"on_no_data": Response.ROLLBACK, "on_harm": Response.HOLD}, Phase.ROLLED_BACK),
    ],
)
def test_without_data_a_rollout_holds_and_goes_back_only_when_asked_to(
    rollout, minutes, settings, phase
):
    found = blind(rollout, minutes=minutes, **settings)
    assert found.phase is phase
    assert found.phase is Phase.COMPLETED or found.percentage == 10
    if phase is Phase.ROLLED_BACK:
        assert found.reason == "Rolled back at 10 %: jobs: no data for 30 min: away"


def test_an_idle_source_that_fails_once_is_not_blind_for_long(rollout):
    guard = replace(ASKING, on_no_data=Response.ROLLBACK)
    rollout = replace(rollout, plan=replace(rollout.plan, guards=(guard,)))
    rollout = look(rollout, measured(10, at=0), at=1)
    rollout = look(rollout, measured(10, at=5_000), at=5_000)
    for second in range(5_015, 5_100, 15):
        rollout = look(rollout, measured(0, at=second, error="away"), at=second)
    assert rollout.phase is Phase.RUNNING


def split(rollout, *polls):
    """Return the rollout after polls of so many with the flag on and off, 15 s apart."""
    guard = replace(ASKING, split=True)
    rollout = replace(rollout, plan=replace(rollout.plan, guards=(guard,)))
    on = off = 0
    for number, (more_on, more_off) in enumerate(polls, start=1):
        on, off = on + more_on, off + more_off
        counts = replace(
            measured(0, at=15 * number), treatment=Arm(total=on), control=Arm(total=off)
        )
        rollout = look(rollout, counts, at=15 * number)
    return rollout


def test_a_split_that_is_as_configured_is_no_trouble(rollout):
    found = split(rollout, *[(10, 90)] * 30)
    assert "come" not in words(found, found.plan.guards[0], START + 450 * SECOND)


def test_a_split_that_is_far_off_holds_until_a_person_decides(rollout):
    found = split(rollout, *[(30, 90)] * 30)
    assert found.phase is Phase.RUNNING
    assert len(changed_at(found)) == 1
    said = words(found, found.plan.guards[0], START + 450 * SECOND)
    assert said.startswith("jobs: 900 requests with the flag on and 2,700 with it off are not what")


def test_when_nobody_comes_with_the_flag_on_it_holds_and_then_goes_back(rollout):
    silent = split(rollout, (10, 90), (0, 200))
    assert silent.phase is Phase.RUNNING
    said = words(silent, silent.plan.guards[0], START + 30 * SECOND)
    assert said == "jobs: no requests come with the flag on, and about 22 should have"
    assert split(rollout, (10, 90), (0, 200), (0, 90)).phase is Phase.RUNNING
    found = split(rollout, (10, 90), (0, 200), (0, 90), (0, 90))
    assert found.phase is Phase.ROLLED_BACK
    assert "no requests come with the flag on" in found.reason


def test_a_source_that_goes_away_where_a_stage_changes_is_no_data_in_the_new_one(rollout):
    found = look(rollout, measured(2_500, at=80), at=80)
    while len(changed_at(found)) == 1:
        found = look(found, measured(2_500, at=90), at=106)
    for at in (120, 140, 160):
        found = look(found, measured(0, at=at, behind=1, error="away"), at=at)
    assert "no data" in words(found, ASKING, START + 160 * SECOND)
    found = look(found, measured(30_000, at=180), at=180)
    assert "no data" not in words(found, ASKING, START + 180 * SECOND)
