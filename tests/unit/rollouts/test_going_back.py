"""Are gates put back as far as the plan says, and does the rollout then stand where it should?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from fakes import CALM, GUARD, HARM, START, plan_of, ramp, turn_on
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.checks import CheckCommand, RunCommand, Wait
from flagstaff.rollouts.effect import ChangeFlag, Post, RestoreFlag
from flagstaff.rollouts.event import (
    Answer,
    Approved,
    Observed,
    Resumed,
    Started,
)
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Approve, Bake, Preset, Step
from flagstaff.rollouts.rolling_back import step_back
from flagstaff.rollouts.rollout import Phase, Rollout, SavedGates, StepStatus
from flagstaff.rollouts.rules import OnFail, RollbackTo, Then

HOUR = timedelta(hours=1)
LATER = START + HOUR + timedelta(minutes=1)
BAKE = Bake(duration=HOUR)
TEN = Gates().set_percentage_of_actors(Decimal(10))


def begun(*actions, **settings):
    rollout = Rollout.of(plan_of(*actions, **settings), rollout_id=7)
    return advance(rollout, Started(by="ada"), START)[0]


def look(rollout, now, *measurements, check=None):
    """Look until nothing moves, keeping gates as the services do."""
    said, harmful = [], HARM in measurements
    for _ in range(20):
        seen = Observed(measurements=measurements, check=check)
        after, effects = advance(rollout, seen, now)
        said += effects
        for effect in effects:
            if isinstance(effect, ChangeFlag):
                gates = Gates() if effect.step == "s1" else TEN
                saved = SavedGates(environment=effect.environment, gates=gates)
                state = after.state(effect.step)
                after = after.with_state(replace(state, before=(*state.before, saved)))
                if effect.environment not in {each.environment for each in after.before}:
                    after = replace(after, before=(*after.before, saved))
        over = after == rollout or (harmful and after.phase is Phase.PAUSED)
        rollout = after
        if over:
            break
    return rollout, said


def at_fifty(**settings):
    """Return a rollout at 50 %, an hour after it went there from 10 %."""
    rollout = begun(ramp(10), BAKE, ramp(50), BAKE, turn_on("production"), **settings)
    rollout, _ = look(rollout, START, CALM)
    rollout, _ = look(rollout, START + HOUR, CALM)
    assert rollout.current.id == "s4"
    return rollout


PREVIOUS = {"guards": (GUARD,), "rollback_to": RollbackTo.PREVIOUS, "announce_to": ("#prod",)}


def test_harm_puts_the_last_stage_back_and_pauses_before_it():
    rollout, effects = look(at_fifty(**PREVIOUS), LATER, HARM)
    restored = [each for each in effects if isinstance(each, RestoreFlag)]
    assert [(each.environment, each.gates) for each in restored] == [("production", TEN)]
    assert (rollout.phase, rollout.current.id) == (Phase.PAUSED, "s3")
    assert [rollout.state(name).status for name in ("s1", "s2", "s3", "s4")] == [
        StepStatus.DONE,
        StepStatus.DONE,
        StepStatus.PENDING,
        StepStatus.PENDING,
    ]
    (post,) = (each for each in effects if isinstance(each, Post))
    assert "put back one stage in production" in post.text


def test_what_was_seen_of_the_stage_is_forgotten_so_that_it_is_put_back_once():
    rollout, _ = look(at_fifty(**PREVIOUS), LATER, HARM)
    assert (rollout.watches, rollout.watch_since) == ((), LATER)
    assert rollout.watching
    again, effects = look(rollout, START + 2 * HOUR, CALM)
    assert (again.phase, effects) == (Phase.PAUSED, [])


def test_harm_again_goes_back_another_stage():
    rollout, _ = look(at_fifty(**PREVIOUS), LATER, HARM)
    rollout, effects = look(rollout, START + 3 * HOUR, HARM)
    assert [each.gates for each in effects if isinstance(each, RestoreFlag)] == [Gates()]
    assert (rollout.current.id, rollout.watch_since) == ("s1", None)


def test_after_a_persons_word_the_stage_is_done_anew_under_new_keys():
    rollout, _ = look(at_fifty(**PREVIOUS), LATER, HARM)
    rollout, _ = advance(rollout, Resumed(by="ada"), START + 2 * HOUR)
    rollout, effects = look(rollout, START + 2 * HOUR, CALM)
    (change,) = (each for each in effects if isinstance(each, ChangeFlag))
    assert (change.step, change.key) == ("s3", "7/s3/1/production")
    assert rollout.state("s4").until == START + 3 * HOUR


def test_without_more_words_all_of_it_is_rolled_back():
    rollout, effects = look(at_fifty(guards=(GUARD,)), LATER, HARM)
    assert rollout.phase is Phase.ROLLED_BACK
    assert [each.gates for each in effects if isinstance(each, RestoreFlag)] == [Gates()]


def test_where_it_is_not_known_what_was_before_all_of_it_is_rolled_back():
    rollout = at_fifty(**PREVIOUS)
    unknown = replace(rollout.state("s3"), before=())
    rollout, _ = look(rollout.with_state(unknown), LATER, HARM)
    assert rollout.phase is Phase.ROLLED_BACK


def failing(action, **fields):
    rule = OnFail(then=Then.BACK)
    return Step(id="s3", stage="S", title="Smoke", action=action, on_fail=rule, **fields)


def test_a_failed_step_can_go_back_one_stage():
    rollout = begun(turn_on("dev"), ramp(10), failing(CheckCommand(command="smoke"), timeout=HOUR))
    no = Answer(yes=False, text="503")
    rollout, _ = look(rollout, START, check=no)
    rollout, effects = look(rollout, START + HOUR, check=no)
    assert (rollout.phase, rollout.current.id) == (Phase.PAUSED, "s2")
    assert [each.environment for each in effects] == ["production"]
    assert "503" in rollout.reason


def test_before_any_change_to_go_back_is_to_pause():
    rollout = begun(failing(CheckCommand(command="smoke"), timeout=HOUR))
    rollout, _ = look(rollout, START, check=Answer(yes=False, text="503"))
    rollout, effects = look(rollout, START + HOUR, check=Answer(yes=False, text="503"))
    assert (rollout.phase, effects) == (Phase.PAUSED, [])


def test_approvals_of_the_stage_are_asked_for_again_and_those_of_later_ones_kept():
    rollout = begun(ramp(10), BAKE, ramp(50), Approve(), BAKE, Approve(), **PREVIOUS)
    rollout, _ = look(rollout, START, CALM)
    rollout, _ = look(rollout, START + HOUR, CALM)
    for name in ("s4", "s6"):
        rollout, _ = advance(rollout, Approved(step=name, by="bob"), START + HOUR)
    rollout, _ = look(rollout, START + HOUR, CALM)
    rollout, _ = look(rollout, LATER, HARM)
    assert rollout.current.id == "s3"
    assert (rollout.state("s4").approved_by, rollout.state("s6").approved_by) == ("", "bob")


def test_what_the_issue_says_is_done_is_never_undone():
    done = Step(id="s1", stage="S", title="S", action=ramp(10), preset=Preset.DONE)
    rollout = begun(done, failing(RunCommand(command="smoke")), Wait(duration=HOUR))
    assert rollout.touched == ()
    assert step_back(rollout, "x", START)[1] == ()
