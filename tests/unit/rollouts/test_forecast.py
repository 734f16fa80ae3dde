"""Does the forecast say what the guards then do?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fakes import GUARD, plan_of, ramp, turn_on
from flagstaff.rollouts.forecast import forecasts, unit_note
from flagstaff.rollouts.guard import Arm, Counting, Response
from flagstaff.rollouts.plan import Bake
from flagstaff.rollouts.query import Query

DAY = timedelta(days=1)
WAIT = Bake(duration=timedelta(minutes=15))
PLAN = plan_of(turn_on("dev"), WAIT, ramp(10), WAIT, turn_on("production"), WAIT, guards=(GUARD,))


def told(seen, plan=PLAN, guard=GUARD):
    found = forecasts(plan, guard, seen, DAY)
    return [each.text for each in found], [each.warning for each in found]


def test_only_waits_in_production_are_forecast():
    texts, _ = told(Arm(total=864_000, failed=8640))
    assert [text.partition(":")[0] for text in texts] == ["Step 4", "Step 6"]


def test_busy_logs_show_harm_and_safety_soon():
    texts, warnings = told(Arm(total=8_640_000, failed=86_400))
    assert texts[0].startswith("Step 4: about 9,000 jobs under the new names; sees harm from 1.")
    assert "harm is that more than 50 % fail" in texts[1]
    assert warnings == ["", ""]


def test_logs_in_which_nothing_fails_show_safety_after_some_four_hundred_jobs():
    texts, _ = told(Arm(total=86_400))
    assert texts[0].endswith("safety is shown after about 1.3 h")  # 4,600 jobs, a tenth of them new


def test_quiet_logs_are_warned_of():
    texts, warnings = told(Arm())
    assert "no jobs under the old names were seen" in texts[0]
    assert warnings == [
        "Step 4: it will wait for a person",
        "Step 6: it will wait for a person",
    ]


def test_too_little_time_is_warned_of():
    guard = replace(GUARD, max_time=timedelta(hours=1))
    _, warnings = told(Arm(total=86_400), guard=guard)
    assert warnings[0] == "Step 4: safety is not shown within `max_time` (1.0 h)"


def test_at_everybody_harm_is_said_in_the_words_of_the_guard():
    slow = replace(GUARD, slower_than=1.5, harm_above=0.99)
    texts, _ = told(Arm(total=100_000, failed=2_000), guard=slow)
    assert "harm is that more than 99 % take over 1.5 s" in texts[-1]


def test_calls_of_actors_who_keep_their_flag_are_noted():
    calls = replace(GUARD, name="orders", query=Query(source="shop"))
    people = replace(calls, name="people", query=Query(source="web", exposure="orders"))
    holds = replace(calls, name="holds", on_harm=Response.HOLD)
    noted = unit_note(plan_of(ramp(10), WAIT, guards=(GUARD, calls, people, holds)))
    assert noted.startswith("orders: the flag stays with an actor, but calls are counted")
    assert unit_note(plan_of(ramp(10), WAIT, guards=(GUARD, people, holds))) == ""
    assert unit_note(plan_of(turn_on("production"), WAIT, guards=(calls,))) == ""
    assert "unit: actors" not in noted


def test_counting_people_is_offered_where_it_can_be_and_noted_where_nobody_is_drawn():
    calls = replace(GUARD, name="orders", query=Query(source="flagstaff", flag="new_navigation"))
    people = replace(calls, name="people", unit=Counting.ACTORS)
    assert "`unit: actors` counts each" in unit_note(plan_of(ramp(10), WAIT, guards=(calls,)))
    assert unit_note(plan_of(ramp(10), WAIT, guards=(people,))) == ""
    assert "people: actors are counted, but the plan draws none by lot" in unit_note(
        plan_of(turn_on("production"), WAIT, guards=(people,))
    )


def test_harm_that_gets_through_is_warned_of():
    guard = replace(GUARD, safe_below=0.15)
    _, warnings = told(Arm(total=40_000, failed=200), guard=guard)
    assert warnings[0] == "Step 4: 2x gets through unseen; wait longer, or begin with more"
