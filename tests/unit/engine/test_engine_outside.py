"""Is what leaves for the outside done once, tried again, and never in the way?"""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select, text

from fakes import FakeWorld, plan_of, ramp, turn_on
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    RetryRollout,
    SkipStep,
)
from flagstaff.engine.loop import Engine
from flagstaff.engine.outgoing import PUT_BACK, TRIES
from flagstaff.errors import FlagstaffError, Refused, Unavailable
from flagstaff.rollouts.effect import Post
from flagstaff.rollouts.event import EffectDone
from flagstaff.rollouts.plan import (
    Announce,
    Approve,
)
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.store import audit, tables

HELLO = Announce(channels=("#ops",), text="Hello")


def texts(services, number):
    with services.database.read() as connection:
        found = audit.find(connection, rollout_id=number)
    return [(each.action, each.step or each.environment) for each in reversed(found)]


class TestEffects:
    def test_one_that_cannot_be_done_now_is_tried_later_and_later(self, lab):
        number = lab.added(plan_of(HELLO))
        lab.world.errors = [Unavailable("no answer"), Unavailable("no answer")]
        lab.engine.tick()
        assert (len(lab.world.errors), lab.world.done) == (1, [])
        lab.engine.tick()
        assert len(lab.world.errors) == 1
        lab.clock.advance(seconds=1)
        lab.engine.tick()
        assert (lab.world.errors, lab.world.done) == ([], [])
        lab.clock.advance(seconds=1)
        lab.engine.tick()
        assert lab.world.done == []
        lab.clock.advance(seconds=1)
        lab.engine.tick()
        assert [each.key for each in lab.world.done] == [f"{number}/s1/0"]
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.COMPLETED

    def test_after_the_last_try_the_rollout_pauses_and_a_retry_begins_anew(self, lab):
        number = lab.added(plan_of(HELLO))
        lab.world.errors = [Unavailable("no answer")] * TRIES
        for _ in range(TRIES):
            assert lab.look(number).rollout.phase is Phase.RUNNING
            lab.engine.tick()
            lab.clock.advance(minutes=5)
        rollout = lab.look(number).rollout
        assert (rollout.phase, rollout.state("s1").status) == (Phase.PAUSED, StepStatus.FAILED)
        assert ("effect.fail", "s1") in texts(lab.services, number)
        lab.clock.advance(hours=1)
        lab.engine.tick()
        assert lab.world.done == []
        lab.execute(RetryRollout(rollout=number))
        lab.engine.tick()
        assert [each.key for each in lab.world.done] == [f"{number}/s1/1"]

    @pytest.mark.parametrize("error", [Refused("404"), RuntimeError("a fault"), ValueError("no")])
    def test_what_will_never_work_pauses_at_once(self, lab, error):
        number = lab.added(plan_of(HELLO))
        other = lab.added(plan_of(HELLO, flag="old_search"))
        lab.world.errors = [error]
        lab.engine.tick()
        phases = {lab.look(number).rollout.phase, lab.look(other).rollout.phase}
        assert phases == {Phase.PAUSED, Phase.RUNNING}
        assert len(lab.world.done) == 1

    def test_skipping_a_step_gives_up_what_it_wanted(self, lab):
        number = lab.added(plan_of(HELLO))
        lab.world.errors = [Unavailable("no answer")]
        lab.engine.tick()
        lab.execute(SkipStep(rollout=number, step="s1", reason="said by hand"))
        lab.clock.advance(hours=1)
        lab.engine.tick()
        assert lab.world.done == []
        assert lab.look(number).rollout.phase is Phase.COMPLETED

    def test_a_rollback_gives_up_what_was_still_wanted(self, lab):
        number = lab.added(plan_of(ramp(10), Approve(), announce_to=("#prod",)))
        lab.world.errors = [Unavailable("no answer")]
        lab.engine.tick()
        lab.execute(AbortRollout(rollout=number, reason="harm"))
        lab.clock.advance(hours=1)
        lab.engine.tick()
        assert [type(each) for each in lab.world.done] == [Post]
        assert "rolled back" in lab.world.done[0].text

    def test_one_given_up_while_it_was_being_done_is_not_noted(self, lab):
        number = lab.added(plan_of(ramp(10), HELLO))

        class Slow(FakeWorld):
            def perform(self, effect, plan):
                lab.execute(AbortRollout(rollout=number, reason="harm"))
                return super().perform(effect, plan)

        Engine(lab.services, Slow()).tick()
        assert lab.look(number).rollout.state("s2").status is StepStatus.FAILED
        with lab.services.database.read() as connection:
            statuses = connection.execute(select(tables.effect.c.status)).scalars().all()
        assert statuses == ["abandoned"]

    def test_one_that_was_done_but_not_noted_is_done_again_under_the_same_key(
        self, lab, monkeypatch
    ):
        number = lab.added(plan_of(HELLO))
        with monkeypatch.context() as cut:
            cut.setattr("flagstaff.services.running.finish_effect", cut_off)
            lab.engine.tick()
        assert lab.look(number).rollout.state("s1").status is StepStatus.ACTIVE
        lab.engine.tick()
        assert len(lab.world.done) == 1
        lab.clock.advance(seconds=PUT_BACK)
        lab.engine.tick()
        lab.engine.tick()
        assert [each.key for each in lab.world.done] == [f"{number}/s1/0"] * 2
        assert lab.look(number).rollout.phase is Phase.COMPLETED

    def test_a_slow_one_does_not_keep_the_engine_from_looking(self, lab):
        asked, answer = threading.Event(), threading.Event()

        def slow(effect, _plan):
            asked.set()
            answer.wait(120)
            return EffectDone(step=effect.step)

        lab.world.perform = slow
        lab.added(plan_of(HELLO))
        lab.engine.start()
        try:
            assert asked.wait(60)
            number = lab.added(plan_of(turn_on("dev"), Approve(), flag="other_flag"))
            wait_until(lambda: lab.look(number).rollout.phase is Phase.WAITING)
            assert not answer.is_set()
        finally:
            answer.set()
            lab.engine.stop()


class TestIssues:
    def test_an_issue_that_cannot_be_written_stops_nothing_and_catches_up(self, lab, caplog):
        lab.world.issue_error = FlagstaffError("the issue is gone")
        number = lab.added(plan_of(turn_on("dev"), Approve()), issue="/issues/1.md")
        for _ in range(3):
            lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.WAITING
        assert sum("the issue is gone" in message for message in caplog.messages) == 1
        lab.world.issue_error = None
        lab.engine.tick()
        assert [each[1].phase for each in lab.world.followed] == [Phase.WAITING]
        lab.engine.tick()
        assert len(lab.world.followed) == 1

    def test_one_of_a_finished_rollout_is_given_up_after_one_complaint(self, lab, caplog):
        lab.world.issue_error = FlagstaffError("the issue is gone")
        number = lab.added(plan_of(turn_on("dev")), issue="/issues/1.md")
        lab.engine.tick()
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.COMPLETED
        assert sum("the issue is gone" in message for message in caplog.messages) == 1
        lab.world.issue_error = None
        lab.engine.tick()
        assert lab.world.followed == []

    def test_an_older_rollout_does_not_write_into_a_newer_ones_issue(self, lab):
        older = lab.added(plan_of(Approve()), issue="/issues/1.md")
        lab.execute(AbortRollout(rollout=older, reason="enough"))
        newer = lab.added(plan_of(Approve()), issue="/issues/1.md")
        other = lab.added(plan_of(Approve(), flag="old_search"), issue="/issues/2.md")
        lab.engine._issues.hear_all()
        lab.engine.tick()
        assert {each[1].id for each in lab.world.followed} == {newer, other}

    def test_a_fault_in_following_stops_nothing(self, lab):
        lab.world.issue_error = RuntimeError("a fault")
        number = lab.added(plan_of(HELLO), issue="/issues/1.md")
        lab.engine.tick()
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.COMPLETED

    def test_what_a_person_ended_is_followed_too(self, lab):
        number = lab.added(plan_of(Approve()), issue="/issues/1.md")
        lab.engine.tick()
        lab.execute(AbortRollout(rollout=number, reason="enough"))
        lab.engine.tick()
        assert lab.world.followed[-1][1].phase is Phase.ROLLED_BACK

    def test_a_rollout_without_a_file_or_not_begun_has_no_issue_to_follow(self, lab):
        lab.added(plan_of(Approve()))
        lab.added(plan_of(Approve(), flag="old_search"), issue="/issues/1.md", begin=False)
        lab.engine.tick()
        assert lab.world.followed == []


class TestThread:
    def test_it_works_by_itself_until_it_is_stopped(self, lab):
        number = lab.added(plan_of(turn_on("dev"), Approve()), issue="/issues/1.md")
        engine = Engine(lab.services, lab.world, poll=60)
        engine.start()
        try:
            wait_until(lambda: lab.look(number).rollout.phase is Phase.WAITING)
            lab.execute(ApproveStep(rollout=number))
            wait_until(lambda: lab.look(number).rollout.phase is Phase.COMPLETED)
        finally:
            engine.stop()
        assert lab.world.followed[-1][1].phase is Phase.COMPLETED

    def test_a_new_one_catches_up_with_what_happened_without_it(self, lab):
        number = lab.added(plan_of(Approve()), issue="/issues/1.md")
        lab.execute(AbortRollout(rollout=number, reason="enough"))
        engine = Engine(lab.services, lab.world, poll=60)
        engine.start()
        try:
            wait_until(lambda: lab.world.followed)
        finally:
            engine.stop()
        assert lab.world.followed[0][1].phase is Phase.ROLLED_BACK

    def test_a_database_that_is_gone_does_not_end_it(self, lab, caplog):
        number = lab.added(plan_of(turn_on("dev")))
        with lab.services.database.write() as connection:
            connection.execute(text("ALTER TABLE effect RENAME TO hidden"))
        engine = Engine(lab.services, lab.world, poll=0.01)
        engine.start()
        try:
            wait_until(lambda: any("doing" in message for message in caplog.messages))
            with lab.services.database.write() as connection:
                connection.execute(text("ALTER TABLE hidden RENAME TO effect"))
            wait_until(lambda: lab.look(number).rollout.phase is Phase.COMPLETED)
        finally:
            engine.stop()


def cut_off(*_):
    raise Unavailable("the database does not answer")


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
