"""Do steps that look, run and wait work from plan to audit log, with nobody kept waiting?"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from fakes import CALM, CALMER, GUARD, HARM, START, FakeWorld, plan_of, ramp, turn_on
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    PauseRollout,
    ResumeRollout,
    RetryRollout,
    SetFlag,
    ShowRollout,
    SkipStep,
)
from flagstaff.commands.roles import Role
from flagstaff.definitions import Policies
from flagstaff.definitions.policies import QuietHours
from flagstaff.engine.loop import Engine
from flagstaff.errors import Conflict, Forbidden, Refused
from flagstaff.flags.change import Boolean
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.checks import (
    CheckCommand,
    CheckFlag,
    CheckHealth,
    CheckHttp,
    DeleteQueue,
    RunCommand,
    Wait,
)
from flagstaff.rollouts.event import Answer, EffectDone, EffectFailed, EffectHeld
from flagstaff.rollouts.guard import Measurement
from flagstaff.rollouts.judging import waited
from flagstaff.rollouts.plan import Approve, AskPerson, Bake, Step
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.rollouts.rules import OnFail, RollbackTo, Then
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.store import audit

HOUR = timedelta(hours=1)
BOB = Person(name="bob", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
ON = Boolean(value=True)


@dataclass
class SlowWorld(FakeWorld):
    """An outside in which checks and commands end when the test says so."""

    go_on: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    answer: Answer = Answer(yes=True, text="smoke ended with 0", output="3 passed")  # noqa: RUF009

    def check(self, check, *, key, flag):
        del check, flag
        self.asked.append(key)
        self.begun.set()
        assert self.go_on.wait(60)
        return self.answer

    def perform(self, effect, plan):
        if type(effect).__name__ == "InvokeCommand":
            self.begun.set()
            assert self.go_on.wait(60)
        return super().perform(effect, plan)


@pytest.fixture
def slow(lab):
    lab.world = SlowWorld()
    lab.engine = Engine(lab.services, lab.world)
    yield lab
    lab.world.go_on.set()
    lab.engine.settle()


def state(lab, number, step="s1"):
    return lab.look(number).rollout.state(step)


def step(action, name="s1", **fields):
    return Step(id=name, stage="Stage", title="Try it", action=action, **fields)


def actions(lab, number):
    with lab.services.database.read() as connection:
        return [each.action for each in reversed(audit.find(connection, rollout_id=number))]


class TestAsking:
    @pytest.mark.parametrize(
        "check", [CheckCommand(command="smoke"), CheckHttp(url="https://x.example/")]
    )
    def test_a_slow_check_keeps_no_guard_from_being_looked_at(self, slow, check):
        slow.world.measurements["jobs"] = CALM
        number = slow.added(plan_of(ramp(10), check, guards=(GUARD,)))
        slow.engine.tick()
        assert slow.world.begun.wait(60)
        assert state(slow, number, "s2").status is StepStatus.ACTIVE
        slow.clock.advance(minutes=1)
        slow.world.measurements["jobs"] = HARM
        slow.engine.tick()
        assert slow.look(number).rollout.phase is Phase.ROLLED_BACK

    def test_it_is_asked_once_at_a_time_and_its_words_are_kept(self, slow):
        number = slow.added(plan_of(CheckCommand(command="smoke"), AskPerson()))
        for _ in range(3):
            slow.engine.tick()
        slow.world.go_on.set()
        slow.engine.settle()
        slow.engine.tick()
        assert slow.world.asked == [f"{number}/s1/0"]
        assert (state(slow, number).status, state(slow, number).output) == (
            StepStatus.DONE,
            "3 passed",
        )
        shown = slow.execute(ShowRollout(rollout=number))
        assert "smoke ended with 0\n        | 3 passed" in shown.text
        assert shown.data["steps"][0]["output"] == "3 passed"

    def test_a_check_that_has_a_fault_is_a_no(self, slow, monkeypatch):
        def fault(*_, **__):
            raise ZeroDivisionError

        monkeypatch.setattr(slow.world, "check", fault)
        number = slow.added(plan_of(CheckCommand(command="smoke")))
        slow.engine.tick()
        slow.engine.settle()
        slow.engine.tick()
        assert state(slow, number).note == "the check has a fault: ZeroDivisionError"

    def test_our_own_flag_is_looked_at(self, lab):
        check = CheckFlag(environments=("staging", "production"), change=ON)
        number = lab.added(plan_of(check, AskPerson()))
        assert lab.at(number) == "s1"
        assert "staging: " in state(lab, number).note
        lab.execute(
            SetFlag(flag="new_navigation", environments=("staging", "production"), change=ON)
        )
        assert lab.at(number) == "s2"

    def test_health_without_anybody_to_ask_says_what_to_set(self, lab):
        number = lab.added(plan_of(CheckHealth()))
        assert lab.at(number) == "s1"
        assert "set `policies: health:`" in state(lab, number).note

    def test_another_rollout_is_waited_for(self, lab):
        number = lab.added(plan_of(Wait(condition="old_search.rollout == completed"), AskPerson()))
        assert lab.at(number) == "s1"
        other = lab.added(plan_of(turn_on("dev"), flag="old_search"))
        lab.engine.tick()
        assert lab.look(other).rollout.phase is Phase.COMPLETED
        assert lab.at(number) == "s2"

    def test_a_step_is_wanted_by_the_facts(self, lab):
        number = lab.added(
            plan_of(
                step(turn_on("dev"), when="flag.type == worker or percentage > 5"),
                step(turn_on("staging"), "s2", when="dev.state == unset and flag.type == ops"),
            )
        )
        lab.engine.tick()
        assert (lab.gates("dev"), lab.gates("staging")) == (None, Gates(boolean=True))
        assert "step.skipped" in actions(lab, number)


class TestRunning:
    def test_a_long_command_keeps_no_post_waiting(self, slow):
        number = slow.added(plan_of(RunCommand(command="migrate"), AskPerson()))
        other = slow.added(
            plan_of(ramp(10), AskPerson(), flag="old_search", announce_to=("#prod",))
        )
        slow.world.results["s1"] = EffectDone(step="s1", note="ended with 0", output="migrated")
        slow.engine.tick()
        slow.engine.tick()
        assert [type(each).__name__ for each in slow.world.done] == ["Post"]
        assert slow.at(other) == "s2"
        slow.world.go_on.set()
        slow.engine.settle()
        assert slow.at(number) == "s2"
        assert state(slow, number).output == "migrated"

    def test_one_that_fails_is_in_the_log_and_pauses(self, slow):
        slow.world.go_on.set()
        number = slow.added(plan_of(RunCommand(command="migrate")))
        slow.world.results["s1"] = EffectFailed(step="s1", error="ended with 3", output="no disk")
        slow.engine.tick()
        slow.engine.settle()
        assert (state(slow, number).status, state(slow, number).output) == (
            StepStatus.FAILED,
            "no disk",
        )
        assert actions(slow, number)[-3:] == ["effect.fail", "step.failed", "rollout.paused"]


class TestBrokers:
    HELD = EffectHeld(step="s1", reason="shop is not deleted: 3 messages wait in shop")

    def held(self, lab):
        number = lab.added(plan_of(DeleteQueue(queue="shop", broker="main"), AskPerson()))
        lab.world.results["s1"] = self.HELD
        lab.engine.tick()
        lab.engine.settle()
        return number

    def again(self, lab):
        lab.clock.advance(minutes=1)
        lab.engine.tick()
        lab.engine.settle()

    def test_what_cannot_happen_yet_says_why_and_is_tried_under_one_key_until_it_can(self, lab):
        number = self.held(lab)
        for _ in range(12):  # more often than anything else is tried before a person has to look
            self.again(lab)
        found = state(lab, number)
        assert (found.status, found.note) == (StepStatus.ACTIVE, self.HELD.reason)
        assert lab.look(number).rollout.phase is Phase.RUNNING
        assert self.HELD.reason in lab.execute(ShowRollout(rollout=number)).text
        lab.world.results["s1"] = EffectDone(step="s1", note="shop is deleted")
        self.again(lab)
        assert lab.at(number) == "s2"
        assert state(lab, number).note == "shop is deleted"
        assert {each.key for each in lab.world.done} == {f"{number}/s1/0"}
        assert len(lab.world.done) == 14

    def test_nothing_is_done_while_a_person_has_paused_it(self, lab):
        number = self.held(lab)
        lab.execute(PauseRollout(rollout=number, reason="not now"))
        lab.world.results["s1"] = EffectDone(step="s1", note="shop is deleted")
        for _ in range(3):
            self.again(lab)
        assert len(lab.world.done) == 1
        lab.execute(ResumeRollout(rollout=number))
        self.again(lab)
        assert lab.at(number) == "s2"

    @pytest.mark.parametrize("ends", ["abort", "skip"])
    def test_nor_after_it_was_taken_back_or_skipped(self, lab, ends):
        number = self.held(lab)
        lab.execute(
            AbortRollout(rollout=number, reason="no")
            if ends == "abort"
            else SkipStep(rollout=number, step="s1", reason="it stays")
        )
        for _ in range(3):
            self.again(lab)
        assert len(lab.world.done) == 1

    def test_what_no_waiting_mends_pauses_it_and_a_retry_begins_anew(self, lab):
        number = lab.added(plan_of(DeleteQueue(queue="shop", broker="main"), AskPerson()))
        lab.world.results["s1"] = EffectFailed(step="s1", error="queues of sqs cannot be deleted")
        lab.engine.tick()
        lab.engine.settle()
        assert lab.look(number).rollout.reason == "queues of sqs cannot be deleted"
        assert "effect.fail" in actions(lab, number)
        lab.world.results["s1"] = EffectDone(step="s1", note="shop is deleted")
        lab.execute(RetryRollout(rollout=number))
        self.again(lab)
        assert lab.at(number) == "s2"
        assert [each.key for each in lab.world.done] == [f"{number}/s1/0", f"{number}/s1/1"]


class TestGoingBack:
    def test_the_gates_are_those_of_the_stage_before(self, lab):
        lab.world.measurements["jobs"] = CALM
        plan = plan_of(
            ramp(10),
            Bake(duration=HOUR),
            ramp(50),
            Bake(duration=HOUR),
            guards=(GUARD,),
            rollback_to=RollbackTo.PREVIOUS,
        )
        number = lab.added(plan)
        lab.engine.tick()
        ten = lab.gates("production")
        lab.clock.advance(hours=1)
        lab.world.measurements["jobs"] = CALMER
        assert lab.at(number) == "s4"
        lab.clock.advance(minutes=1)
        # Readings count from the beginning of the watch, which begins anew with the stage before.
        lab.world.measure = lambda _, kept: HARM if kept.since == START else CALM
        lab.engine.tick()
        rollout = lab.look(number).rollout
        assert (lab.gates("production"), rollout.phase, lab.at(number)) == (
            ten,
            Phase.PAUSED,
            "s3",
        )
        lab.execute(ResumeRollout(rollout=number))
        assert lab.at(number) == "s4"
        assert lab.gates("production").percentage_of_actors == 50

    def test_what_was_not_done_yet_is_not_done_any_more(self, slow):
        rule = OnFail(then=Then.BACK)
        plan = plan_of(
            turn_on("dev"),
            step(CheckFlag(environments=("ops",), change=ON), "s2", timeout=HOUR, on_fail=rule),
        )
        number = slow.added(plan)
        slow.engine.tick()
        assert slow.gates("dev") == Gates(boolean=True)
        slow.clock.advance(hours=1)
        slow.engine.tick()
        assert (slow.gates("dev"), slow.at(number)) == (None, "s1")


class TestQuietHours:
    NIGHTS = QuietHours(cron="0 8 * * *", lasts=timedelta(hours=4), reason="before lunch")

    @pytest.fixture
    def policies(self):
        return Policies(consistency=False, quiet_hours=(self.NIGHTS,))

    def test_a_change_holds_until_they_are_over_and_says_when(self, lab):
        number = lab.added(plan_of(turn_on("production"), AskPerson()))
        assert lab.at(number) == "s1"
        assert lab.gates("production") is None
        held = state(lab, number)
        assert held.until == START + timedelta(hours=3)
        assert "production is frozen: before lunch. It goes on by itself at 2026-03-02 12:00" in (
            held.note
        )
        lab.execute(PauseRollout(rollout=number))
        lab.clock.advance(hours=1)
        lab.execute(ResumeRollout(rollout=number))
        assert state(lab, number).until == START + timedelta(hours=3)
        lab.clock.advance(hours=2)
        assert lab.at(number) == "s2"
        assert lab.gates("production") == Gates(boolean=True)

    def test_a_rollback_is_never_held(self, lab):
        lab.clock.advance(hours=-2)
        lab.world.measurements["jobs"] = CALM
        number = lab.added(plan_of(ramp(10), Bake(duration=HOUR), guards=(GUARD,)))
        lab.engine.tick()
        lab.clock.advance(hours=2)
        lab.world.measurements["jobs"] = HARM
        lab.engine.tick()
        assert (lab.look(number).rollout.phase, lab.gates("production")) == (
            Phase.ROLLED_BACK,
            None,
        )

    def test_a_recorded_reason_overrules_them(self, lab):
        number = lab.added(plan_of(turn_on("production"), AskPerson()))
        lab.engine.tick()
        lab.execute(
            ApproveStep(rollout=number, step="s1", reason="urgent", overrides=("change-lock",))
        )
        assert lab.at(number) == "s2"
        with lab.services.database.read() as connection:
            found = [each for each in audit.find(connection, rollout_id=number) if each.override]
        assert {each.override for each in found} == {"change-lock"}

    def test_people_meet_them_too(self, lab):
        with pytest.raises(Refused, match="production is frozen: before lunch"):
            lab.execute(SetFlag(flag="new_navigation", environments=("production",), change=ON))


class TestApproving:
    def test_only_those_of_the_role_may_say_yes(self, lab):
        number = lab.added(plan_of(Approve(role="maintainer"), turn_on("production")))
        eve = Person(name="eve", source=Source.TERMINAL, roles={"*": Role.OPERATOR})
        lab.engine.tick()
        for command in (
            ApproveStep(rollout=number),
            SkipStep(rollout=number, reason="in a hurry"),
        ):
            with pytest.raises(Forbidden, match="needs the role maintainer"):
                lab.services.execute(command, eve)
        lab.services.execute(ApproveStep(rollout=number), BOB)
        lab.engine.tick()
        assert lab.gates("production") == Gates(boolean=True)

    def test_whoever_started_it_is_told_why_not(self, lab):
        number = lab.added(plan_of(Approve(four_eyes=True)))
        lab.engine.tick()
        with pytest.raises(Refused, match="somebody else has to approve it"):
            lab.execute(ApproveStep(rollout=number))
        lab.execute(ApproveStep(rollout=number, reason="alone", overrides=("four-eyes",)))
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.COMPLETED


class TestExpiring:
    def test_it_is_in_the_log_and_can_be_taken_up(self, lab):
        number = lab.added(plan_of(AskPerson(), turn_on("dev"), announce_to=("#prod",)))
        lab.engine.tick()
        for days in (18, 3):
            lab.clock.advance(days=days)
            lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.EXPIRED
        assert actions(lab, number)[-2:] == ["rollout.warn", "rollout.expired"]
        assert len(lab.world.done) == 2
        with pytest.raises(Conflict, match="has expired"):
            lab.execute(ApproveStep(rollout=number))
        lab.execute(ResumeRollout(rollout=number, reason="back from leave"))
        lab.execute(ApproveStep(rollout=number))
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.COMPLETED


class TestOverdue:
    """After the engine was away for weeks, waits are over by time; all else happens in order."""

    @pytest.mark.parametrize("step_by_step", [True, False])
    def test_a_guard_is_looked_at_after_each_change_and_no_approval_is_passed(
        self, lab, step_by_step
    ):
        seen = []
        lab.world.measurements["jobs"] = CALM
        measure = lab.world.measure

        def measured(guard, since):
            gates = lab.gates("production")
            seen.append(gates.percentage_of_actors if gates else None)
            return measure(guard, since)

        lab.world.measure = measured
        bake = Bake(duration=HOUR)
        number = lab.added(
            plan_of(ramp(10), bake, ramp(25), bake, Approve(), ramp(50), bake, guards=(GUARD,))
        )
        lab.engine.tick()
        for treatment in range(1, 6):
            lab.clock.advance(days=10)
            more = replace(CALM.treatment, total=1000 * (treatment + 1))
            lab.world.measurements["jobs"] = replace(CALM, treatment=more, control=more)
            lab.engine.tick()
            if step_by_step:
                lab.engine.tick()
        assert lab.gates("production").percentage_of_actors == 25
        assert lab.look(number).rollout.current.id == "s5"
        assert {10, 25} <= set(seen)
        changes = [each for each in actions(lab, number) if each == "flag.set"]
        assert len(changes) == 2

    def test_no_wait_is_over_before_its_guard_was_looked_at_since_the_change(self, lab):
        lab.world.measurements["jobs"] = CALM
        optional = replace(GUARD, required=False)
        number = lab.added(plan_of(ramp(10), Bake(duration=HOUR), AskPerson(), guards=(optional,)))
        lab.engine.tick()
        rollout = lab.look(number).rollout
        assert rollout.current.id == "s2"
        unread = replace(rollout, watches=())
        found = waited(unread, START + 30 * 24 * HOUR, Bake(duration=HOUR))
        assert (found.ends, found.note) == (
            False,
            "time is up; jobs: not read since the last change",
        )
        lab.clock.advance(days=30)
        assert lab.at(number) == "s3"

    def test_why_a_guard_was_not_read_since_the_change_is_told(self, lab):
        lab.world.measurements["jobs"] = CALM
        steps = (ramp(10), Bake(duration=HOUR), ramp(25), Bake(duration=HOUR), AskPerson())
        optional = replace(GUARD, required=False)
        number = lab.added(plan_of(*steps, guards=(optional,)))
        lab.engine.tick()
        lab.world.measurements["jobs"] = Measurement(guard="jobs", error="it is away", behind=1)
        for _ in range(4):
            lab.clock.advance(hours=2)
            lab.engine.tick()
        rollout = lab.look(number).rollout
        assert rollout.current.id == "s4"
        assert rollout.state("s4").note == (
            "time is up; jobs: not read since the last change; jobs: no data: it is away"
        )
