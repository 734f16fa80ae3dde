"""Is it known when something happens by itself?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fakes import START, plan_of, turn_on
from flagstaff.rollouts.checks import CheckCommand, RunCommand, Wait
from flagstaff.rollouts.event import Answer, EffectFailed, Observed, Paused, Started
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Approve, AskPerson, Bake, Step
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.rollouts.rules import OnFail
from flagstaff.rollouts.waking import wakes_at

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NO = Answer(yes=False, text="no")


def looked(*actions, seen=Observed()):  # noqa: B008 - it never changes
    rollout = Rollout.of(plan_of(*actions), rollout_id=7)
    rollout, _ = advance(rollout, Started(by="ada"), START)
    return advance(rollout, seen, START)[0]


def step(action, **fields):
    return Step(id="s1", stage="S", title="S", action=action, **fields)


def test_what_ends_at_a_known_time():
    assert wakes_at(looked(Bake(duration=HOUR))) == START + HOUR
    assert wakes_at(looked(Wait(until=START + DAY))) == START + DAY
    assert wakes_at(looked(Approve(timeout=DAY))) == START + DAY
    late = looked(step(CheckCommand(command="c"), timeout=HOUR), seen=Observed(check=NO))
    assert wakes_at(late) == START + HOUR


def test_a_change_that_is_held():
    held = replace(NO, until=START + HOUR)
    assert wakes_at(looked(turn_on("production"), seen=Observed(policy=held))) == START + HOUR


def test_another_try():
    rollout = looked(step(RunCommand(command="c"), on_fail=OnFail(retries=1, back_off=HOUR)))
    rollout, _ = advance(rollout, EffectFailed(step="s1", error="x"), START)
    assert wakes_at(rollout) == START + HOUR


def test_what_only_people_can_move_warns_and_expires():
    rollout = looked(AskPerson())
    assert wakes_at(rollout) == START + 18 * DAY
    rollout, _ = advance(rollout, Observed(), START + 18 * DAY)
    assert wakes_at(rollout) == START + 21 * DAY
    rollout, _ = advance(rollout, Observed(), START + 21 * DAY)
    assert (rollout.phase, wakes_at(rollout)) == (Phase.EXPIRED, None)


def test_a_pause_stops_all_but_the_expiry():
    rollout, _ = advance(looked(Bake(duration=HOUR)), Paused(by="ada", reason="x"), START)
    assert wakes_at(rollout) == START + 18 * DAY
