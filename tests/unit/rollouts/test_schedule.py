"""When is each step taken, and what has it wait?"""

from __future__ import annotations

from datetime import timedelta

from fakes import START, plan_of, preset, ramp, turn_on
from flagstaff.rollouts.checks import CheckCommand, Wait
from flagstaff.rollouts.plan import Approve, Bake, Preset
from flagstaff.rollouts.rollout import Rollout
from flagstaff.rollouts.schedule import Hold, schedule

HOUR = timedelta(hours=1)
PLAN = plan_of(ramp(10), Bake(duration=HOUR), Approve(), turn_on("production"))


def test_waits_add_up_and_people_take_no_time():
    found = schedule(Rollout.of(PLAN), START)
    assert [each.at - START for each in found.entries] == [0 * HOUR, 0 * HOUR, HOUR, HOUR]
    assert [each.needs for each in found.entries] == ["", "", "a person says yes", ""]
    assert (found.ends, found.total) == (START + HOUR, HOUR)


def test_a_window_holds_what_opens_wider():
    def freeze(environment, now):
        if environment != "production" or now >= START + 8 * HOUR:
            return None
        first = now < START + 5 * HOUR
        reason = "freeze: sale" if first else "freeze: more"
        return Hold(reason=reason, until=START + (5 if first else 8) * HOUR)

    found = schedule(Rollout.of(PLAN), START, windows=freeze)
    first = found.entries[0]
    assert (first.at, first.held) == (START + 8 * HOUR, ("freeze: sale", "freeze: more"))
    narrowing = plan_of(preset("s0", turn_on("production"), Preset.DONE), ramp(10))
    assert schedule(Rollout.of(narrowing), START, windows=freeze).entries[0].held == ()
    elsewhere = plan_of(turn_on("staging"))
    assert schedule(Rollout.of(elsewhere), START, windows=freeze).entries[0].held == ()


def test_steps_in_production_keep_their_distance():
    plan = plan_of(ramp(10), ramp(20), turn_on("staging"))
    found = schedule(Rollout.of(plan), START, least=HOUR)
    assert [each.at - START for each in found.entries] == [0 * HOUR, HOUR, HOUR]
    assert found.entries[1].held == ("steps in production keep their distance",)


def test_without_steps_it_takes_no_time():
    assert schedule(Rollout.of(plan_of()), START).total == timedelta()


def test_a_hold_without_end_is_told_and_not_waited_for():
    def locked(_, __):
        return Hold(reason="locked", until=None)

    first = schedule(Rollout.of(PLAN), START, windows=locked).entries[0]
    assert (first.at, first.held) == (START, ("locked, no end in sight",))


def test_waits_and_people_of_all_kinds():
    plan = plan_of(
        Wait(duration=HOUR),
        Wait(until=START + 5 * HOUR),
        Wait(condition="production.percentage >= 25"),
        Approve(role="maintainer", count=2, four_eyes=True),
        CheckCommand(command="smoke"),
    )
    found = schedule(Rollout.of(plan), START)
    assert [each.until - START for each in found.entries] == [HOUR, *(4 * (5 * HOUR,))]
    assert [each.needs for each in found.entries] == [
        "",
        "",
        "production.percentage >= 25",
        "2 people with the role maintainer other than who started it say yes",
        "a yes of the command",
    ]
