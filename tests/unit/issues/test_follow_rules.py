"""Does the issue say that a stage was undone, that a step is held, and that a rollout expired?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flagstaff.flags.gates import Gates
from flagstaff.issues.answers import box_answers
from flagstaff.issues.follow import follow, unfollow
from flagstaff.rollouts.expiring import expire
from flagstaff.rollouts.plan import Bake, SetGate
from flagstaff.rollouts.rolling_back import step_back
from flagstaff.rollouts.rollout import Phase, SavedGates, StepState, StepStatus

TEXT = (
    "# [FF] `quick_search`\n"
    "- [ ] `/chatops run feature set quick_search true --dev`\n"
    "- [ ] `/chatops run feature set quick_search 10 --actors`\n"
    "- [ ] `/chatops run feature set quick_search true`\n"
)
DAY = timedelta(days=1)


def at_the_first_bake(importing, driver):
    turns = driver(importing(TEXT).plan)
    step = next(each for each in turns.rollout.plan.steps if isinstance(each.action, Bake))
    turns.run_until(step.id)
    turns.turn()
    rollout = turns.rollout
    for each in rollout.plan.steps:
        state = rollout.state(each.id)
        if isinstance(each.action, SetGate) and state.status is StepStatus.DONE:
            saved = tuple(
                SavedGates(environment=name, gates=Gates()) for name in each.action.environments
            )
            rollout = rollout.with_state(replace(state, before=saved))
    return rollout


def test_the_box_of_a_stage_that_was_undone_is_open_again(importing, driver):
    rollout = at_the_first_bake(importing, driver)
    ticked = follow(TEXT, rollout)
    at = rollout.state(rollout.current.id).since
    back, _ = step_back(rollout, "too slow", at)
    assert (back.phase, back.current.action) == (
        Phase.PAUSED,
        next(each.action for each in back.plan.steps if "10" in each.title),
    )
    text = follow(ticked, back)
    assert "- [x] `/chatops run feature set quick_search true --dev`" in text
    assert "- [ ] `/chatops run feature set quick_search 10 --actors`" in text
    assert follow(text, back) == text


def test_one_that_expired_says_how_to_take_it_up(importing, driver):
    rollout = at_the_first_bake(importing, driver)
    late = rollout.state(rollout.current.id).until + 100 * DAY
    warned, _ = expire(rollout, late)
    expired, _ = expire(warned, late + 10 * DAY)
    text = follow(TEXT, expired)
    assert "> **Expired**: nothing has gone forward for 21 days" in text
    assert f"`rollout resume {expired.id}`" in text
    assert "Expired" not in unfollow(text)


def test_a_change_that_is_held_says_until_when(importing, driver):
    rollout = at_the_first_bake(importing, driver)
    step = rollout.plan.steps[-1]
    state = rollout.state(step.id)
    until = state.since or rollout.started_at
    held = replace(
        state, status=StepStatus.ACTIVE, since=until, until=until, note="held by policy: frozen"
    )
    assert isinstance(step.action, SetGate)
    text = follow(TEXT, rollout.with_state(held))
    assert f"**held** until {until:%Y-%m-%d %H:%M} UTC: held by policy: frozen" in text


def test_our_own_tick_of_a_stage_that_was_undone_is_nobodys_yes(importing, driver):
    text = TEXT + "- [ ] Test it\n"
    turns = driver(importing(text).plan)
    turns.run_until(turns.rollout.plan.steps[-1].id)
    turns.turn()
    rollout = turns.rollout
    name = rollout.current.id
    done = replace(rollout.state(name), status=StepStatus.DONE, approved_by="ada")
    ticked = follow(text, rollout.with_state(done))
    assert "- [x] Test it" in ticked
    undone = rollout.with_state(StepState(id=name, undone=True))
    assert box_answers(ticked, undone) == ()
    text = follow(ticked, undone)
    assert "- [ ] Test it" in text
    assert "**undone**" in text
    unheard = rollout.with_state(StepState(id=name))
    assert [each.step for each in box_answers(ticked, unheard)] == [name]


def test_an_expired_rollout_hears_no_boxes(importing, driver):
    text = TEXT + "- [x] Test it\n"
    rollout = at_the_first_bake(importing, driver)
    expired = replace(rollout, phase=Phase.EXPIRED)
    assert box_answers(text.replace("[ ]", "[x]"), expired) == ()
