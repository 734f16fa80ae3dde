"""Which edits of a plan under way are taken, and what becomes of the rollout?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import GUARD, START, plan_of, ramp, turn_on
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.checks import RunCommand, Wait
from flagstaff.rollouts.editing import edit, edit_problems, overruled
from flagstaff.rollouts.event import Answer, Approved, EffectFailed, Observed, Started
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Announce, Approve, Bake, Preset, SetGate, Step
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus
from flagstaff.rollouts.rules import OnFail

HOUR = timedelta(hours=1)
PLAN = plan_of(ramp(10), Bake(duration=HOUR), ramp(25), Approve(), turn_on("production"))
YES = Observed(policy=Answer(yes=True, text=""))


def at_ten(plan=PLAN):
    """Return a rollout that holds 10 %."""
    rollout, _ = advance(Rollout.of(plan, rollout_id=7), Started(by="ada"), START)
    for _ in range(2):
        rollout, _ = advance(rollout, YES, START)
    assert rollout.current.id == "s2"
    return rollout


def new(step_id, action):
    return Step(id=step_id, stage="Stage", title=step_id, action=action)


def edited(*changes, drop=()):
    """Return the plan with steps put in, as `(where, step)`, changed, as `step`, or left out."""
    steps = [each for each in PLAN.steps if each.id not in drop]
    for change in changes:
        if isinstance(change, tuple):
            steps.insert(*change)
        else:
            steps = [change if each.id == change.id else each for each in steps]
    return replace(PLAN, steps=tuple(steps))


def problems(plan, rollout=None):
    return [each.what for each in edit_problems(rollout or at_ten(), plan)]


def test_a_step_ahead_can_be_put_in_changed_and_left_out():
    plan = edited(
        (2, new("more", ramp(15))), replace(PLAN.step("s5"), action=ramp(50)), drop=("s3",)
    )
    rollout = edit(at_ten(), plan, START)
    assert rollout.plan == plan
    assert rollout.current.id == "s2"
    assert [each.status for each in rollout.states][:3] == [
        *(StepStatus.DONE, StepStatus.ACTIVE, StepStatus.PENDING)
    ]
    assert overruled(at_ten(), plan) == ()


@pytest.mark.parametrize(("length", "until"), [(3 * HOUR, 3 * HOUR), (HOUR / 2, HOUR / 2)])
def test_a_wait_under_way_gets_the_new_length(length, until):
    plan = edited(replace(PLAN.step("s2"), action=Bake(duration=length)))
    assert edit(at_ten(), plan, START).state("s2").until == START + until


@pytest.mark.parametrize(
    ("before", "after", "until"),
    [
        (Wait(duration=HOUR), Wait(duration=3 * HOUR), START + 3 * HOUR),
        (Wait(duration=HOUR), Wait(until=START + 9 * HOUR), None),
        (Approve(timeout=HOUR), Approve(timeout=2 * HOUR), None),
    ],
)
def test_what_has_begun_is_reckoned_anew(before, after, until):
    rollout, _ = advance(Rollout.of(plan_of(before)), Started(by="ada"), START)
    rollout, _ = advance(rollout, YES, START)
    assert rollout.state("s1").until == START + HOUR
    assert edit(rollout, plan_of(after), START).state("s1").until == until


def test_a_step_that_rests_before_another_try_has_begun():
    failing = Step(
        id="s1",
        stage="Stage",
        title="x",
        action=RunCommand(command="migrate"),
        on_fail=OnFail(retries=2),
    )
    rollout, _ = advance(Rollout.of(plan_of(failing, Approve())), Started(by="ada"), START)
    rollout, _ = advance(rollout, YES, START)
    rollout, _ = advance(rollout, EffectFailed(step="s1", error="3"), START)
    assert rollout.state("s1").status is StepStatus.PENDING
    without = plan_of(Step(id="s2", stage="Stage", title="Step 2", action=Approve()))
    assert problems(without, rollout) == ["step s1 has begun and cannot be taken out"]


@pytest.mark.parametrize(
    "after",
    [
        Approve(),
        Approve(role="maintainer", count=1),
        replace(new("s4", Approve(role="maintainer", count=2)), when="flag.type == worker"),
    ],
)
def test_an_approval_that_asks_for_less_takes_more_say(after):
    asking = Approve(role="maintainer", count=2)
    plan = edited(replace(PLAN.step("s4"), action=asking))
    if not isinstance(after, Step):
        after = replace(PLAN.step("s4"), action=after)
    steps = tuple(after if each.id == "s4" else each for each in plan.steps)
    (passed,) = overruled(at_ten(plan), replace(plan, steps=steps))
    assert (passed.what, passed.role) == ("takes away the approval s4", "maintainer")


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (edited(drop=("s1",)), "step s1 is over and cannot be taken out"),
        (edited(drop=("s2",)), "step s2 has begun and cannot be taken out"),
        (edited(replace(PLAN.step("s1"), action=ramp(5))), "step s1 is over and cannot change"),
        (edited(replace(PLAN.step("s1"), title="x")), "step s1 is over and cannot change"),
        (
            edited(replace(PLAN.step("s2"), action=Approve())),
            "step s2 has begun and cannot become another kind",
        ),
        (
            edited((0, new("first", ramp(1)))),
            "step first is new and stands before s2, where the rollout has passed",
        ),
        (
            edited((1, new("now", ramp(1)))),
            "step now is new and stands before s2, where the rollout has passed",
        ),
        (
            edited(replace(PLAN.step("s3"), preset=Preset.DONE)),
            "step s3 is not over, and an edit cannot say that it is",
        ),
        (
            edited((2, replace(new("x", ramp(1)), preset=Preset.DONE))),
            "step x is new and said to be done, but nothing has done it",
        ),
        (edited((2, new("s5", ramp(1)))), "two steps have the id s5"),
        (replace(PLAN, steps=()), "the plan has no steps"),
        (
            replace(PLAN, flag="other"),
            "the rollout is of new_navigation, and the plan is for other",
        ),
        (
            replace(PLAN, production=("staging",)),
            "which environments count as production cannot change under way",
        ),
        (
            replace(PLAN, guards=(GUARD,)),
            "guards and statistics cannot change while the guards watch",
        ),
    ],
)
def test_what_is_refused(plan, words):
    assert words in problems(plan)
    with pytest.raises(ValueError, match=r"\w"):
        edit(at_ten(), plan, START)


def test_what_has_left_for_the_outside_cannot_change():
    plan = plan_of(Announce(channels=("#a",), text="x"))
    rollout, _ = advance(Rollout.of(plan), Started(by="ada"), START)
    rollout, _ = advance(rollout, YES, START)
    other = plan_of(Announce(channels=("#a",), text="y"))
    assert problems(other, rollout) == ["step s1 has been asked for already"]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (edited(drop=("s4",)), "takes away the approval s4"),
        (
            edited(replace(PLAN.step("s4"), action=Bake(duration=HOUR))),
            "takes away the approval s4",
        ),
        (edited((2, new("x", ramp(30)))), "has x before the approval s4"),
        (edited((3, PLAN.step("s5")), drop=("s4", "s5")), "takes away the approval s4"),
        (edited((2, PLAN.step("s5")), drop=("s5",)), "has s5 before the approval s4"),
        (edited((2, new("x", turn_on("dev")))), "has x before the approval s4"),
        (
            edited(
                replace(
                    PLAN.step("s5"),
                    action=SetGate(
                        environments=("production",),
                        change=Boolean(value=True),
                        overrides=("max-step",),
                    ),
                )
            ),
            "overrules max-step at s5",
        ),
    ],
)
def test_what_takes_more_say(plan, words):
    assert problems(plan) == []
    assert words in [each.what for each in overruled(at_ten(), plan)]


def test_less_before_an_approval_takes_no_more_say():
    assert overruled(at_ten(), edited((2, new("x", ramp(20))))) == ()


def test_a_word_for_a_step_that_changes_does_not_count_any_more():
    rollout, _ = advance(at_ten(), Approved(step="s4", by="bob"), START)
    assert rollout.state("s4").approved_by == "bob"
    asks_other = edited(replace(PLAN.step("s4"), title="Another question?"))
    assert edit(rollout, asks_other, START).state("s4").approved_by == ""
    assert edit(rollout, edited(drop=("s3",)), START).state("s4").approved_by == "bob"


def test_before_it_has_begun_anything_may_change():
    rollout = Rollout.of(PLAN, rollout_id=7)
    other = plan_of(Approve())
    assert edit(rollout, other, START) == Rollout.of(other, rollout_id=7)


def test_when_it_is_over_nothing_may():
    rollout = replace(at_ten(), phase=Phase.COMPLETED)
    assert problems(PLAN, rollout) == ["rollout 7 is completed"]
