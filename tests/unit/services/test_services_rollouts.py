"""May people do with a rollout what they ask for, and is it all or nothing?"""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from fakes import START, plan_of, ramp, turn_on
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    PauseRollout,
    PromoteRollout,
    RejectStep,
    ResumeRollout,
    RetryRollout,
    SetFlag,
    ShowRollout,
    SkipStep,
    StartRollout,
    UndoEntry,
)
from flagstaff.errors import Conflict, NotFound, Unavailable, UsageError
from flagstaff.flags.change import Boolean
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.event import EffectFailed, Observed
from flagstaff.rollouts.plan import Announce, Approve, Bake, CheckDeployed, Close, CloseTarget
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services import running, views
from flagstaff.services.person import ENGINE
from flagstaff.store import audit, flags, tables

HOUR = timedelta(hours=1)


@pytest.fixture
def run(services, ada):
    return lambda command, **how: services.execute(command, ada, **how)


@pytest.fixture
def observe(services, look):
    """Move a rollout by what was seen, as the engine does."""

    def step(number, *events):
        for event in events or (Observed(),):
            with services.unit(ENGINE, write=True) as unit:
                running.step(unit, look(number), event)
        return look(number).rollout

    return step


@pytest.fixture
def entries(services):
    def find(number):
        with services.database.read() as connection:
            found = audit.find(connection, rollout_id=number)
        return [(each.action, each.who, each.step, each.reason) for each in reversed(found)]

    return find


class TestStarting:
    def test_says_where_it_stands(self, run, added, look):
        number = added(plan_of(turn_on("dev")), begin=False)
        outcome = run(StartRollout(rollout=number))
        assert outcome.text == f"rollout {number} of new_navigation is running, at s1: Step 1"
        assert look(number).rollout.before == ()

    def test_happens_once(self, run, added, look):
        number = added(plan_of(Approve()))
        before = look(number)
        with pytest.raises(Conflict, match="has begun already"):
            run(StartRollout(rollout=number))
        assert look(number) == before

    def test_of_an_unknown_one_is_not_found(self, run):
        for command in (StartRollout(rollout=9), AbortRollout(rollout=9, reason="x")):
            with pytest.raises(NotFound, match="no rollout 9"):
                run(command)

    def test_before_it_nothing_can_be_decided_but_to_give_up(self, run, added, look):
        number = added(plan_of(Approve()), begin=False)
        for command in (ApproveStep(rollout=number), PauseRollout(rollout=number)):
            with pytest.raises(Conflict) as caught:
                run(command)
            assert caught.value.hint == f"start it with: flagstaff rollout start {number}"
        run(AbortRollout(rollout=number, reason="a typo"))
        assert look(number).rollout.phase is Phase.ROLLED_BACK
        assert added(plan_of(Approve())) != number


class TestDeciding:
    def test_the_waiting_step_is_meant(self, run, added, observe, entries):
        number = added(plan_of(Approve(), turn_on("dev")))
        observe(number)
        run(ApproveStep(rollout=number, reason="tried it"))
        assert observe(number).state("s1").note == "approved by ada: tried it"
        assert entries(number)[1:] == [
            ("step.approve", "ada", "s1", "tried it"),
            ("step.done", "flagstaff", "s1", ""),
        ]

    def test_a_later_step_can_be_approved_by_name(self, run, added, look):
        number = added(plan_of(turn_on("dev"), Approve()))
        run(ApproveStep(rollout=number, step="s2"))
        assert look(number).rollout.state("s2").approved_by == "ada"

    def test_twice_is_said_to_be_so_already(self, run, added, look):
        number = added(plan_of(Approve()))
        run(ApproveStep(rollout=number))
        before = look(number)
        assert "it is already so" in run(ApproveStep(rollout=number)).text
        assert look(number) == before

    @pytest.mark.parametrize("kind", [ApproveStep, RejectStep, SkipStep])
    def test_a_step_that_goes_on_by_itself_is_not_meant(self, run, added, kind):
        number = added(plan_of(turn_on("dev"), Approve()))
        with pytest.raises(Conflict, match="s1"):
            run(kind(rollout=number, reason="x"))

    @pytest.mark.parametrize("kind", [ApproveStep, RejectStep, SkipStep])
    def test_unknown_and_finished_steps_are_refused(self, run, added, observe, kind):
        number = added(plan_of(turn_on("dev"), Approve()))
        observe(number)
        with pytest.raises(UsageError, match="no step s9") as caught:
            run(kind(rollout=number, step="s9", reason="x"))
        assert caught.value.hint == "it has s1, s2"
        with pytest.raises(Conflict, match="already done"):
            run(kind(rollout=number, step="s1", reason="x"))

    def test_only_what_asks_for_a_word_is_approved(self, run, added):
        number = added(plan_of(turn_on("dev"), Bake(duration=HOUR), Approve()))
        for step in ("s1", "s2"):
            with pytest.raises(Conflict, match="needs nobody's word"):
                run(ApproveStep(rollout=number, step=step))

    def test_a_step_that_waits_for_a_deployment_says_how_that_is_known(self, run, added):
        number = added(plan_of(CheckDeployed(sha="4f2d9c1a", environments=("dev", "staging"))))
        with pytest.raises(Conflict, match="needs nobody's word") as caught:
            run(ApproveStep(rollout=number))
        assert caught.value.hint == (
            "once the commit runs there: `flagstaff deployment record dev 4f2d9c1a` and "
            "`flagstaff deployment record staging 4f2d9c1a`"
        )

    def test_a_no_pauses_and_is_recorded_even_while_paused(self, run, added, look, entries):
        number = added(plan_of(Approve()))
        run(RejectStep(rollout=number, reason="too soon"))
        assert look(number).rollout.reason == "rejected by ada: too soon"
        run(RejectStep(rollout=number, reason="still too soon"))
        actions = [(action, reason) for action, _, _, reason in entries(number)]
        assert ("step.reject", "too soon") in actions
        assert ("step.reject", "still too soon") in actions

    def test_a_skip_is_recorded_with_its_reason(self, run, added, look, entries):
        number = added(plan_of(turn_on("dev"), Approve()))
        run(SkipStep(rollout=number, step="s1", reason="no such cluster"))
        assert look(number).rollout.state("s1").status is StepStatus.SKIPPED
        assert entries(number)[-1] == ("step.skipped", "ada", "s1", "no such cluster")

    def test_a_wait_is_ended_early_and_nothing_else(self, run, added, observe, look):
        number = added(plan_of(Bake(duration=HOUR), Approve()))
        observe(number)
        run(PromoteRollout(rollout=number, reason="quiet"))
        assert look(number).rollout.current.id == "s2"
        with pytest.raises(Conflict, match="not in a wait"):
            run(PromoteRollout(rollout=number, reason="quiet"))

    def test_pause_and_resume(self, run, added, clock, observe, look):
        number = added(plan_of(Bake(duration=HOUR)))
        observe(number)
        with pytest.raises(Conflict, match="not paused"):
            run(ResumeRollout(rollout=number))
        run(PauseRollout(rollout=number))
        assert look(number).rollout.reason == "ada: paused"
        assert "already so" in run(PauseRollout(rollout=number)).text
        clock.advance(hours=5)
        run(ResumeRollout(rollout=number))
        assert look(number).rollout.state("s1").until == START + 6 * HOUR

    def test_a_failed_step_is_retried_or_skipped_not_resumed(self, run, added, observe, look):
        number = added(plan_of(Announce(channels=("#ops",), text="x"), turn_on("dev")))
        with pytest.raises(Conflict, match="no step has failed"):
            run(RetryRollout(rollout=number))
        observe(number, Observed(), EffectFailed(step="s1", error="404"))
        with pytest.raises(Conflict, match="step s1 has failed") as caught:
            run(ResumeRollout(rollout=number))
        assert f"flagstaff rollout retry {number}" in caught.value.hint
        run(RetryRollout(rollout=number))
        assert look(number).rollout.epoch == 1
        observe(number, Observed(), EffectFailed(step="s1", error="404"))
        run(SkipStep(rollout=number, reason="said by hand"))
        assert look(number).rollout.phase is Phase.RUNNING

    @pytest.mark.parametrize("kind", [AbortRollout, PromoteRollout, RejectStep, SkipStep])
    @pytest.mark.parametrize("reason", ["", " \t\n"])
    def test_what_others_ask_about_later_needs_a_reason(self, run, added, look, kind, reason):
        number = added(plan_of(Approve()))
        before = look(number)
        with pytest.raises(UsageError, match="a reason is needed") as caught:
            run(kind(rollout=number, reason=reason))
        assert "audit log" in caught.value.hint
        assert look(number) == before

    @pytest.mark.parametrize("number", [10**20, 2**31, 0, -1, -(10**20)])
    def test_a_number_that_no_rollout_can_have_is_not_found(self, run, services, number):
        for command in (
            ShowRollout(rollout=number),
            StartRollout(rollout=number),
            ApproveStep(rollout=number),
            AbortRollout(rollout=number, reason="x"),
        ):
            with pytest.raises(NotFound, match=f"no rollout {number}"):
                run(command)
        for find in (views.rollout, running.find):
            with pytest.raises(NotFound, match=f"no rollout {number}"):
                services.ask(lambda unit, find=find: find(unit, number), ENGINE)
        with pytest.raises(NotFound):
            run(UndoEntry(entry=number))

    def test_a_finished_one_is_left_alone(self, run, added, look):
        number = added(plan_of(Approve()))
        run(AbortRollout(rollout=number, reason="enough"))
        before = look(number)
        for command in (
            AbortRollout(rollout=number, reason="again"),
            ApproveStep(rollout=number),
            RetryRollout(rollout=number),
        ):
            with pytest.raises(Conflict, match="rolled back"):
                run(command)
        assert look(number) == before


class TestMoving:
    def test_state_gates_outbox_and_audit_go_together(self, services, added, observe, entries):
        heard = []
        services.listen(heard.append)
        number = added(plan_of(ramp(10), Approve(), announce_to=("#prod",)))
        observe(number)
        with services.database.read() as connection:
            state = flags.get(connection, "production", "new_navigation")
            effects = connection.execute(select(tables.effect)).all()
            logged = audit.find(connection, flag="new_navigation")
        assert state.gates.percentage_of_actors == 10
        assert [(each.key, each.status) for each in effects] == [(f"{number}/s1/0/post", "pending")]
        assert (logged[0].action, logged[0].rollout_id, logged[0].step) == (
            "flag.set",
            number,
            "s1",
        )
        assert ("step.done", "flagstaff", "s1", "") in entries(number)
        assert heard[-1] == {f"rollout:{number}", "flags:production"}

    def test_a_failure_half_way_takes_all_of_it_back(self, services, added, look):
        number = added(plan_of(ramp(10), announce_to=("#prod",)))
        before = look(number)

        def fail():
            with services.unit(ENGINE, write=True) as unit:
                running.step(unit, before, Observed())
                raise Unavailable("the power went")

        with pytest.raises(Unavailable):
            fail()
        with services.database.read() as connection:
            assert flags.find(connection) == []
            assert connection.execute(select(tables.effect)).all() == []
        assert look(number) == before

    def test_what_was_observed_of_an_older_revision_is_not_used(self, services, run, added, look):
        number = added(plan_of(turn_on("dev")))
        seen = look(number)
        run(PauseRollout(rollout=number))

        def late():
            with services.unit(ENGINE, write=True) as unit:
                running.step(unit, seen, Observed())

        with pytest.raises(Conflict, match="moved meanwhile"):
            late()

    def test_of_two_writers_at_once_both_are_heard_or_one_is_told(self, services, added, look):
        """Many people and the engine decide at the same moment; nothing is lost."""
        steps = 6
        number = added(plan_of(*(Approve() for _ in range(steps))))
        conflicts = []
        gate = threading.Barrier(steps)

        def approve(step):
            gate.wait()
            try:
                services.execute(ApproveStep(rollout=number, step=step), ENGINE)
            except Conflict:
                conflicts.append(step)

        names = [f"s{each}" for each in range(1, steps + 1)]
        threads = [threading.Thread(target=approve, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        record = look(number)
        approved = [state.id for state in record.rollout.states if state.approved_by]
        assert sorted([*approved, *conflicts]) == names
        assert conflicts == []
        assert record.revision == steps + 2

    def test_an_abort_puts_back_what_was_and_says_by_whom(self, run, added, observe, services):
        run(
            SetFlag(
                flag="new_navigation", environments=("production",), change=Boolean(value=False)
            )
        )
        number = added(plan_of(turn_on("dev"), ramp(10), Approve()))
        observe(number, Observed(), Observed(), Observed())
        tried = run(AbortRollout(rollout=number, reason="complaints"), dry_run=True).text
        assert f"rollout {number} of new_navigation would be rolled back" in tried
        assert "\ndev: on for everyone → not set\nproduction: on for 10 % of actors → off" in tried
        outcome = run(AbortRollout(rollout=number, reason="complaints"))
        assert outcome.text == (
            f"rollout {number} of new_navigation is rolled back: ada: complaints"
        )
        with services.database.read() as connection:
            states = flags.find(connection)
            logged = audit.find(connection, rollout_id=number)
        assert [(each.environment, each.gates) for each in states] == [("production", Gates())]
        restored = [each for each in logged if each.action == "flag.restore"]
        assert [each.environment for each in reversed(restored)] == ["production", "dev"]
        assert restored[0].after is None
        assert {each.who for each in restored} == {"ada"}

    def test_a_closing_that_needs_a_person_takes_their_word(self, run, added, look, observe):
        number = added(plan_of(Close(target=CloseTarget.FEATURE_ISSUE)))
        with pytest.raises(Conflict):
            run(ApproveStep(rollout=number))
        run(ApproveStep(rollout=number, step="s1"))
        assert look(number).rollout.state("s1").approved_by == "ada"
        assert observe(number).state("s1").status is StepStatus.ACTIVE
