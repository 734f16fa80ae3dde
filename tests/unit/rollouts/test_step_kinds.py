"""Does each kind of step that looks, runs or waits go forward when it should, and only then?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from fakes import CALM, GUARD, START, plan_of, ramp, turn_on
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.checks import (
    CheckCommand,
    CheckDrained,
    CheckFlag,
    CheckHealth,
    CheckHttp,
    CheckWorkersReady,
    DeleteQueue,
    MigrateJobs,
    RunCommand,
    Wait,
)
from flagstaff.rollouts.condition import Facts, Place
from flagstaff.rollouts.effect import ChangeBroker, ChangeFlag, InvokeCommand
from flagstaff.rollouts.event import (
    Answer,
    Approved,
    EffectDone,
    EffectFailed,
    EffectHeld,
    Observed,
    Paused,
    Promoted,
    Rejected,
    Resumed,
    Started,
)
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.needs import needs
from flagstaff.rollouts.plan import Approve, Bake, Step
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus
from flagstaff.rollouts.rules import OnFail, OnInconclusive, OnTimeout, Then
from flagstaff.rollouts.schedule import schedule

LOOK = Observed()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YES = Observed(check=Answer(yes=True, text="fine", output="ok"))
NO = Observed(check=Answer(yes=False, text="not yet", output="3 left"))
FACTS = Facts(
    flag="new_navigation",
    type="ops",
    percentage=Decimal(10),
    places=(Place(environment="staging", state="on", percentage=Decimal(100)),),
    rollouts=(("other", "running"),),
)
CHECKS = (
    CheckFlag(environments=("staging",), change=Boolean(value=True)),
    CheckHealth(),
    CheckCommand(command="smoke"),
    CheckHttp(url="https://status.example/"),
    CheckWorkersReady(name="shop.notify", broker="main"),
    CheckDrained(name="shop.notify", broker="main"),
)


def begun(*actions, by="ada", **settings):
    rollout = Rollout.of(plan_of(*actions, **settings), rollout_id=7)
    return advance(rollout, Started(by=by), START)[0]


def run(rollout, *events, now=START):
    effects = ()
    for event in events:
        rollout, more = advance(rollout, event, now)
        effects += more
    return rollout, effects


def step(action, **fields):
    return Step(**{"id": "s1", "stage": "Stage", "title": "Try it", "action": action, **fields})


class TestChecks:
    @pytest.mark.parametrize("check", CHECKS)
    def test_each_is_asked_holds_on_a_no_and_goes_on_with_a_yes(self, check):
        rollout = begun(check, turn_on("dev"))
        assert needs(rollout).check == check
        rollout, effects = run(rollout, LOOK, NO)
        state = rollout.state("s1")
        assert (state.status, state.note, state.output) == (
            StepStatus.ACTIVE,
            "not yet",
            "3 left",
        )
        rollout, effects = run(rollout, YES)
        state = rollout.state("s1")
        assert (state.status, state.note, state.output) == (StepStatus.DONE, "fine", "ok")
        assert effects == ()

    def test_guards_that_are_named_have_to_show_safety(self):
        rollout = begun(ramp(10), CheckHealth(guards=("jobs",)), turn_on("dev"), guards=(GUARD,))
        rollout, _ = run(rollout, LOOK)
        assert needs(rollout).check is None
        seen = Observed(measurements=(replace(CALM, error="no logs"),))
        rollout, _ = run(rollout, seen, now=START + HOUR)
        assert rollout.current.id == "s2"
        rollout, _ = run(rollout, Observed(measurements=(CALM,)), now=START + 2 * HOUR)
        assert rollout.current.id == "s3"

    def test_a_guard_that_there_is_not_never_shows_safety(self):
        rollout, _ = run(begun(CheckHealth(guards=("typo",))), LOOK)
        assert rollout.state("s1").note == "the rollout has no guard typo"

    def test_a_check_that_is_late_has_failed(self):
        rollout = begun(step(CHECKS[2], timeout=HOUR), turn_on("dev"))
        rollout, _ = run(rollout, NO)
        assert rollout.state("s1").until == START + HOUR
        rollout, _ = run(rollout, NO, now=START + HOUR)
        assert (rollout.phase, rollout.state("s1").status) == (Phase.PAUSED, StepStatus.FAILED)
        assert "not so by 2026-03-02 10:00 UTC: not yet" in rollout.reason

    def test_a_yes_counts_however_late_it_is_heard(self):
        rollout, _ = run(begun(step(CHECKS[2], timeout=HOUR), turn_on("dev")), NO)
        rollout, _ = run(rollout, YES, now=START + DAY)
        assert rollout.current.id == "s2"

    def test_a_pause_does_not_count_for_a_check(self):
        rollout, _ = run(begun(step(CHECKS[2], timeout=HOUR)), NO, Paused(by="ada", reason="x"))
        rollout, _ = run(rollout, Resumed(by="ada"), now=START + DAY)
        assert rollout.state("s1").until == START + DAY + HOUR


class TestRunning:
    def test_a_command_is_wanted_once_and_its_output_kept(self):
        rollout, effects = run(begun(RunCommand(command="migrate")), LOOK, LOOK, LOOK)
        assert effects == (InvokeCommand(key="7/s1/0", step="s1", command="migrate"),)
        rollout, _ = run(rollout, EffectDone(step="s1", note="ended with 0", output="done 5"))
        state = rollout.state("s1")
        assert (state.status, state.output) == (StepStatus.DONE, "done 5")

    def test_a_failed_one_pauses_with_its_output(self):
        rollout, _ = run(begun(RunCommand(command="migrate")), LOOK)
        rollout, _ = run(rollout, EffectFailed(step="s1", error="ended with 3", output="no disk"))
        assert (rollout.phase, rollout.reason) == (Phase.PAUSED, "ended with 3")
        assert rollout.state("s1").output == "no disk"

    def test_it_is_tried_again_after_longer_and_longer_rests_under_new_keys(self):
        rule = OnFail(retries=2, back_off=timedelta(minutes=10))
        rollout = begun(step(RunCommand(command="migrate"), on_fail=rule))
        now, rests, keys = START, [], []
        for _ in range(2):
            rollout, effects = run(rollout, LOOK, now=now)
            keys += [effect.key for effect in effects]
            rollout, _ = run(rollout, EffectFailed(step="s1", error="x"), now=now)
            rests.append(rollout.state("s1").retry_at - now)
            assert run(rollout, LOOK, now=now)[1] == ()
            now = rollout.state("s1").retry_at
        assert rests == [timedelta(minutes=10), timedelta(minutes=20)]
        rollout, effects = run(rollout, LOOK, now=now)
        keys += [effect.key for effect in effects]
        assert keys == ["7/s1/0", "7/s1/1", "7/s1/2"]
        rollout, _ = run(rollout, EffectFailed(step="s1", error="x"), now=now)
        assert (rollout.phase, rollout.reason) == (Phase.PAUSED, "x (tried 3 times)")

    def test_a_failure_may_be_of_no_matter(self):
        rollout = begun(
            step(RunCommand(command="note"), on_fail=OnFail(then=Then.SKIP)), turn_on("dev")
        )
        rollout, _ = run(rollout, LOOK, EffectFailed(step="s1", error="ended with 1"))
        assert (rollout.current.id, rollout.state("s1").status) == ("s2", StepStatus.SKIPPED)
        assert "ended with 1" in rollout.state("s1").note

    def test_a_failure_may_roll_back(self):
        plan = (
            turn_on("dev"),
            step(RunCommand(command="smoke"), on_fail=OnFail(then=Then.ROLLBACK), id="s2"),
        )
        rollout, _ = run(begun(*plan), LOOK, LOOK)
        rollout, _ = run(rollout, EffectFailed(step="s2", error="ended with 1"))
        assert rollout.phase is Phase.ROLLED_BACK
        assert rollout.reason == "Try it: ended with 1"


WORK = (
    MigrateJobs(name="shop.notify", to="integrations.notify", broker="main"),
    DeleteQueue(queue="shop", broker="main"),
)


class TestBrokers:
    @pytest.mark.parametrize("work", WORK)
    def test_it_is_wanted_once_holds_with_the_reason_and_goes_on_when_it_is_done(self, work):
        rollout, effects = run(begun(work, turn_on("dev")), LOOK, LOOK)
        assert effects == (ChangeBroker(key="7/s1/0", step="s1", work=work),)
        held = EffectHeld(step="s1", reason="3 messages wait", output="all of it")
        rollout, effects = run(rollout, held, LOOK, now=START + HOUR)
        state = rollout.state("s1")
        assert (state.status, state.note, state.output) == (
            StepStatus.ACTIVE,
            "3 messages wait",
            "all of it",
        )
        assert (effects, rollout.phase) == ((), Phase.RUNNING)
        rollout, _ = run(rollout, EffectDone(step="s1", note="done"))
        assert (rollout.state("s1").note, rollout.current.id) == ("done", "s2")
        assert run(rollout, held)[0] == rollout, "a reason that comes late is of no matter"

    @pytest.mark.parametrize("work", WORK)
    def test_what_holds_for_too_long_has_failed(self, work):
        rollout, _ = run(begun(step(work, timeout=HOUR)), LOOK, LOOK)
        rollout, _ = run(rollout, EffectHeld(step="s1", reason="3 messages wait"), LOOK)
        rollout, _ = run(rollout, LOOK, now=START + 2 * HOUR)
        assert (rollout.phase, rollout.state("s1").status) == (Phase.PAUSED, StepStatus.FAILED)
        assert "3 messages wait" in rollout.reason

    @pytest.mark.parametrize("work", WORK)
    def test_it_names_what_it_needs_in_the_schedule(self, work):
        entries = schedule(begun(work), START).entries
        assert entries[0].needs


class TestWaiting:
    def test_for_a_time(self):
        rollout, _ = run(begun(Wait(duration=HOUR), turn_on("dev")), LOOK)
        assert run(rollout, LOOK, now=START + HOUR - timedelta(seconds=1))[0].current.id == "s1"
        assert run(rollout, LOOK, now=START + HOUR)[0].current.id == "s2"

    def test_until_a_moment_that_no_pause_moves(self):
        rollout, _ = run(begun(Wait(until=START + HOUR)), LOOK, Paused(by="ada", reason="x"))
        rollout, _ = run(rollout, Resumed(by="ada"), now=START + HOUR)
        assert rollout.state("s1").until == START + HOUR
        assert run(rollout, LOOK, now=START + HOUR)[0].state("s1").status is StepStatus.DONE

    def test_until_another_rollout_is_completed(self):
        rollout = begun(Wait(condition="other.rollout == completed"))
        assert needs(rollout).condition == "other.rollout == completed"
        rollout, _ = run(rollout, Observed(facts=FACTS))
        assert "other.rollout is running" in rollout.state("s1").note
        over = replace(FACTS, rollouts=(("other", "completed"),))
        rollout, _ = run(rollout, Observed(facts=over))
        assert rollout.state("s1").status is StepStatus.DONE

    def test_a_person_may_end_it_early(self):
        rollout, _ = run(
            begun(Wait(duration=HOUR)), LOOK, Promoted(step="s1", by="ada", reason="ok")
        )
        assert rollout.state("s1").note == "ended early by ada: ok"

    def test_a_pause_makes_it_longer(self):
        rollout, _ = run(begun(Wait(duration=HOUR)), LOOK, Paused(by="ada", reason="x"))
        rollout, _ = run(rollout, Resumed(by="ada"), now=START + HOUR)
        assert rollout.state("s1").until == START + 2 * HOUR


class TestApproving:
    def test_several_people_have_to_say_yes(self):
        rollout, _ = run(begun(Approve(count=2), turn_on("dev")), LOOK)
        for _ in range(2):
            rollout, _ = run(rollout, Approved(step="s1", by="ada", reason="fine"), LOOK)
        assert rollout.current.id == "s1"
        assert rollout.state("s1").note == "1 of 2 have said yes: ada"
        rollout, _ = run(rollout, Approved(step="s1", by="bob"), LOOK)
        assert (rollout.current.id, rollout.state("s1").by) == ("s2", "ada, bob")

    def test_a_yes_before_its_step_is_kept(self):
        rollout = begun(Wait(duration=HOUR), Approve(count=2))
        rollout, _ = run(rollout, Approved(step="s2", by="ada"), Approved(step="s2", by="bob"))
        rollout, _ = run(rollout, LOOK)
        rollout, _ = run(rollout, LOOK, LOOK, now=START + HOUR)
        assert rollout.state("s2").status is StepStatus.DONE

    def test_a_no_takes_every_yes_back(self):
        rollout, _ = run(begun(Approve(count=2)), LOOK, Approved(step="s1", by="ada"))
        rollout, _ = run(rollout, Rejected(step="s1", by="bob", reason="no"), Resumed(by="ada"))
        rollout, _ = run(rollout, Approved(step="s1", by="cyd"), LOOK)
        assert rollout.state("s1").approved_by == "cyd"
        assert not rollout.state("s1").status.finished

    def test_whoever_began_it_does_not_count_where_four_eyes_are_wanted(self):
        rollout = begun(Approve(four_eyes=True))
        rollout, _ = run(rollout, LOOK, Approved(step="s1", by="ada"), LOOK)
        assert rollout.state("s1").status is StepStatus.WAITING
        overruled = Approved(step="s1", by="ada", reason="alone", overrides=("four-eyes",))
        assert run(rollout, overruled, LOOK)[0].state("s1").status is StepStatus.DONE
        assert run(rollout, Approved(step="s1", by="bob"), LOOK)[0].state("s1").by == "bob"

    @pytest.mark.parametrize(
        ("then", "phase"),
        [
            (OnTimeout.HOLD, Phase.WAITING),
            (OnTimeout.ABORT, Phase.ROLLED_BACK),
            (OnTimeout.ROLLBACK, Phase.ROLLED_BACK),
        ],
    )
    def test_nobody_says_yes_in_time(self, then, phase):
        rollout, _ = run(begun(Approve(timeout=HOUR, on_timeout=then)), LOOK)
        rollout, _ = run(rollout, LOOK, now=START + HOUR)
        assert rollout.phase is phase
        assert "nobody has said yes" in rollout.state("s1").note

    def test_a_yes_in_time_counts_however_late_it_is_looked_at(self):
        rollout = begun(Approve(timeout=HOUR, on_timeout=OnTimeout.ABORT))
        rollout, _ = run(rollout, LOOK, Approved(step="s1", by="bob"))
        assert run(rollout, LOOK, now=START + DAY)[0].state("s1").status is StepStatus.DONE

    def test_it_does_not_expire_while_paused(self):
        rollout = begun(Approve(timeout=HOUR, on_timeout=OnTimeout.ABORT))
        rollout, _ = run(rollout, LOOK, Paused(by="ada", reason="lunch"))
        rollout, _ = run(rollout, LOOK, now=START + DAY)
        assert rollout.phase is Phase.PAUSED
        rollout, _ = run(rollout, Resumed(by="ada"), LOOK, now=START + DAY)
        assert (rollout.phase, rollout.state("s1").until) == (Phase.WAITING, START + DAY + HOUR)


class TestInconclusive:
    GUARD = replace(GUARD, max_time=None)

    def at_the_end(self, bake):
        rollout = begun(ramp(10), bake, turn_on("dev"), guards=(self.GUARD,))
        few = replace(CALM, treatment=replace(CALM.treatment, total=3, failed=0))
        seen = Observed(measurements=(few,))
        rollout, _ = run(rollout, LOOK)
        rollout, _ = run(rollout, seen)
        return run(rollout, seen, seen, now=START + 2 * HOUR)

    def test_a_bake_holds_without_end_by_itself(self):
        rollout, _ = self.at_the_end(Bake(duration=HOUR))
        assert rollout.current.id == "s2"

    def test_it_goes_on(self):
        how = OnInconclusive.GO_ON
        rollout, _ = self.at_the_end(Bake(duration=HOUR, max_time=HOUR, on_inconclusive=how))
        assert rollout.state("s2").status is StepStatus.DONE
        assert "unproven (jobs)" in rollout.state("s2").note

    def test_it_rolls_back(self):
        how = OnInconclusive.ROLLBACK
        rollout, _ = self.at_the_end(Bake(duration=HOUR, max_time=HOUR, on_inconclusive=how))
        assert rollout.phase is Phase.ROLLED_BACK
        assert rollout.reason.startswith("not settled in time")


class TestConditions:
    def wanted(self, when, facts=FACTS):
        rollout = begun(step(turn_on("dev"), when=when), turn_on("staging"))
        return run(rollout, Observed(facts=facts), LOOK)

    def test_a_step_that_is_wanted_is_done(self):
        rollout, effects = self.wanted("flag.type == ops and staging.percentage >= 50")
        assert [type(each) for each in effects] == [ChangeFlag]
        assert rollout.state("s1").status is StepStatus.DONE

    def test_one_that_is_not_is_skipped_with_the_reason(self):
        rollout, effects = self.wanted("flag.type == worker")
        assert [each.environment for each in effects] == ["staging"]
        assert rollout.state("s1").note == (
            "not wanted: `flag.type == worker` does not hold, as flag.type is ops"
        )

    def test_one_of_which_nobody_knows_waits_for_a_person(self):
        rollout, effects = self.wanted("nowhere.state == on")
        assert (effects, rollout.state("s1").status) == ((), StepStatus.WAITING)
        rollout, _ = run(rollout, Approved(step="s1", by="ada"), Observed(facts=FACTS), LOOK)
        assert rollout.state("s1").status is StepStatus.DONE

    def test_what_requires_an_unwanted_step_is_not_wanted_either(self):
        rollout = begun(
            step(turn_on("dev"), when="flag.type == worker"),
            step(turn_on("staging"), id="s2", requires=("s1",)),
        )
        rollout, effects = run(rollout, Observed(facts=FACTS), LOOK, LOOK)
        assert (effects, rollout.phase) == ((), Phase.COMPLETED)

    def test_what_requires_a_step_that_a_person_has_skipped_waits_for_a_person(self):
        rollout = begun(
            step(CHECKS[2], on_fail=OnFail(then=Then.SKIP), timeout=HOUR),
            step(turn_on("production"), id="s2", requires=("s1",)),
        )
        rollout, _ = run(rollout, NO)
        rollout, effects = run(rollout, NO, LOOK, LOOK, now=START + HOUR)
        assert (effects, rollout.state("s2").status) == ((), StepStatus.WAITING)
        assert rollout.state("s2").note.startswith("it requires s1, which is skipped")
        rollout, effects = run(rollout, Approved(step="s2", by="bob"), LOOK, LOOK)
        assert [each.environment for each in effects] == ["production"]
