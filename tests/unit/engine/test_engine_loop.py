"""Does the engine carry rollouts through, whatever goes wrong around them?"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from fakes import CALM, GUARD, HARM, THIN, FakeWorld, plan_of, ramp, turn_on
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    PauseRollout,
    ResumeRollout,
    RetryRollout,
    SetFlag,
    SkipStep,
)
from flagstaff.engine.loop import Engine
from flagstaff.engine.outgoing import TRIES
from flagstaff.errors import FlagstaffError, Refused, Unavailable
from flagstaff.flags.change import Actors, Boolean
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.effect import Post
from flagstaff.rollouts.event import EffectDone, Observed
from flagstaff.rollouts.plan import (
    Announce,
    Approve,
    AwaitMerge,
    Bake,
    CheckDeployed,
    CheckReleased,
    CleanupPart,
    Close,
    CloseTarget,
    DeleteFlag,
    OpenCleanup,
    SetGate,
)
from flagstaff.rollouts.rollout import Cleanup, Phase, StepStatus
from flagstaff.services.person import ENGINE
from flagstaff.store import audit, flags, tables
from flagstaff.store.deployments import Deployment
from flagstaff.store.deployments import add as add_deployment

FEATURE, BRANCH, MERGE = "fea" + "0" * 37, "c1e" + "0" * 37, "3e6" + "0" * 37
HELLO = Announce(channels=("#ops",), text="Hello")


@dataclass
class Lab:
    """An engine with everything around it, at a test's command."""

    services: Any
    clock: Any
    repository: Any
    added: Any
    look: Any
    ada: Any
    world: FakeWorld = field(default_factory=FakeWorld)

    def __post_init__(self):
        self.engine = Engine(self.services, self.world)

    def execute(self, command):
        return self.services.execute(command, self.ada)

    def gates(self, environment):
        with self.services.database.read() as connection:
            state = flags.get(connection, environment, "new_navigation")
        return state.gates if state else None

    def deploy(self, environment, sha):
        deployment = Deployment(environment=environment, sha=sha, at=self.clock.now(), who="ci")
        with self.services.unit(ENGINE, write=True) as unit:
            add_deployment(unit.connection, deployment)

    def at(self, number):
        """Look twice and return the step the rollout then stands at."""
        self.engine.tick()
        self.engine.tick()
        step = self.look(number).rollout.current
        return step.id if step else None


@pytest.fixture
def lab(services, clock, repository, added, look, ada):
    return Lab(services, clock, repository, added, look, ada)


def texts(services, number):
    with services.database.read() as connection:
        found = audit.find(connection, rollout_id=number)
    return [(each.action, each.step or each.environment) for each in reversed(found)]


def rows(services):
    names = (tables.audit, tables.effect, tables.rollout, tables.flag_state, tables.deployment)
    with services.database.read() as connection:
        counts = [connection.execute(select(func.count()).select_from(n)).scalar() for n in names]
        revisions = connection.execute(select(tables.rollout.c.revision)).scalars().all()
    return counts, revisions


class TestWholeRollout:
    PLAN = plan_of(
        CheckDeployed(sha=FEATURE, environments=("staging", "production")),
        turn_on("dev", "staging"),
        Approve(),
        HELLO,
        ramp(25),
        Bake(duration=timedelta(minutes=15)),
        turn_on("production"),
        Bake(duration=timedelta(days=1)),
        OpenCleanup(part=CleanupPart.REFERENCES),
        AwaitMerge(),
        CheckReleased(version="15.2"),
        DeleteFlag(environments=("dev", "staging", "production")),
        Close(target=CloseTarget.ROLLOUT_ISSUE),
        guards=(GUARD,),
        announce_to=("#prod",),
    )

    def test_from_the_first_check_to_the_last_box(self, lab):
        for sha in ("0" * 40, FEATURE):
            lab.repository.add(sha, "Add the navigation")
        lab.world.measurements["jobs"] = THIN
        cleanup = Cleanup(branch="b", commit=BRANCH, parts=(CleanupPart.REFERENCES,), files=2)
        lab.world.results["s9"] = EffectDone(step="s9", cleanup=cleanup)
        number = lab.added(self.PLAN, issue="/issues/1.md")
        self.check_and_approve(lab, number)
        self.ramp_up(lab, number)
        self.clean_up(lab, number)
        rollout = lab.look(number).rollout
        assert rollout.phase is Phase.COMPLETED
        assert {state.status for state in rollout.states} == {StepStatus.DONE}
        assert lab.world.followed[-1][1] == rollout
        kinds = [type(each).__name__ for each in lab.world.done]
        assert kinds == ["Post", "Post", "Post", "WriteCleanup", "CloseIssue"]
        finished = [step for action, step in texts(lab.services, number) if action == "step.done"]
        assert finished == [f"s{number}" for number in range(1, 14)]

    def check_and_approve(self, lab, number):
        lab.deploy("staging", FEATURE)
        lab.deploy("production", "0" * 40)
        assert lab.at(number) == "s1"
        assert "production (runs 000000000000)" in lab.look(number).rollout.state("s1").note
        lab.deploy("production", FEATURE)
        assert lab.at(number) == "s3"
        assert (lab.gates("dev"), lab.gates("production")) == (Gates(boolean=True), None)
        lab.execute(ApproveStep(rollout=number, reason="tried it"))

    def ramp_up(self, lab, number):
        assert lab.at(number) == "s6"
        assert lab.world.done[0].text == "Hello"
        assert lab.gates("production").percentage_of_actors == 25
        lab.clock.advance(minutes=15)
        assert lab.at(number) == "s6"
        lab.world.measurements["jobs"] = CALM
        assert lab.at(number) == "s8"
        assert lab.gates("production") == Gates(boolean=True)
        lab.clock.advance(hours=23, minutes=59)
        assert lab.at(number) == "s8"
        lab.clock.advance(minutes=1)

    def clean_up(self, lab, number):
        lab.repository.add(BRANCH, "Remove the flag", branch="b")
        assert lab.at(number) == "s10"
        lab.repository.merge(BRANCH, MERGE)
        assert lab.at(number) == "s11"
        assert "has not been cut" in lab.look(number).rollout.state("s11").note
        lab.repository.tags["v15.2.0"] = MERGE
        assert lab.at(number) == "s12"
        for environment in ("dev", "staging", "production"):
            lab.deploy(environment, MERGE)
        assert lab.at(number) is None
        assert [lab.gates(each) for each in ("dev", "staging", "production")] == [None] * 3

    def test_harm_puts_everything_back_and_says_so(self, lab):
        before = SetFlag(
            flag="new_navigation",
            environments=("production",),
            change=Actors(ids=("User:1",), value=True),
        )
        lab.execute(before)
        plan = plan_of(turn_on("dev"), ramp(10), Approve(), guards=(GUARD,), announce_to=("#prod",))
        lab.world.measurements["jobs"] = CALM
        number = lab.added(plan, issue="/issues/1.md")
        lab.engine.tick()
        assert lab.gates("production").percentage_of_actors == 10
        lab.world.measurements["jobs"] = HARM
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.ROLLED_BACK
        assert lab.gates("production") == Gates(actors=frozenset({"User:1"}))
        assert lab.gates("dev") is None
        assert "rolled back in dev, production" in lab.world.done[-1].text
        assert lab.world.followed[-1][1].phase is Phase.ROLLED_BACK


class TestQuiet:
    @pytest.mark.parametrize(
        "waits_at",
        [
            Approve(),
            Bake(duration=timedelta(hours=1)),
            CheckDeployed(sha=FEATURE, environments=("production",)),
            CheckReleased(request=FEATURE, version="15.2"),
            Close(target=CloseTarget.FEATURE_ISSUE),
        ],
    )
    def test_looking_writes_nothing(self, lab, waits_at):
        lab.repository.add(FEATURE, "Add the navigation")
        lab.world.measurements["jobs"] = THIN
        lab.world.results["s2"] = EffectDone(step="s2", ask="close it yourself")
        lab.added(plan_of(ramp(10), waits_at, guards=(GUARD,)))
        lab.engine.tick()
        lab.engine.tick()
        before = rows(lab.services)
        for _ in range(20):
            lab.clock.advance(seconds=30)
            lab.engine.tick()
        assert rows(lab.services) == before

    def test_a_paused_rollout_writes_nothing(self, lab):
        number = lab.added(plan_of(Bake(duration=timedelta(hours=1)), turn_on("dev")))
        lab.engine.tick()
        lab.execute(PauseRollout(rollout=number, reason="lunch"))
        before = rows(lab.services)
        for _ in range(20):
            lab.clock.advance(hours=1)
            lab.engine.tick()
        assert rows(lab.services) == before

    def test_new_readings_are_kept_but_move_nothing(self, lab):
        lab.world.measurements["jobs"] = THIN
        number = lab.added(plan_of(ramp(10), Approve(), guards=(GUARD,)))
        lab.engine.tick()
        before = rows(lab.services)
        lab.world.measurements["jobs"] = CALM
        lab.engine.tick()
        assert rows(lab.services) == before
        assert lab.look(number).readings[0].measurement == CALM


class TestTroubleAround:
    def test_one_broken_rollout_does_not_stop_the_others(self, lab, caplog):
        broken = lab.added(plan_of(turn_on("dev"), flag="old_search"))
        healthy = lab.added(plan_of(turn_on("dev")))
        with lab.services.database.write() as connection:
            body = {"id": broken, "plan": {"kind": "of a newer version"}}
            connection.execute(
                update(tables.rollout).where(tables.rollout.c.id == broken).values(body=body)
            )
        lab.engine.tick()
        lab.engine.tick()
        assert lab.look(healthy).rollout.phase is Phase.COMPLETED
        assert [r.getMessage() for r in caplog.records if f"rollout {broken}:" in r.getMessage()]

    def test_a_repository_that_is_gone_holds_and_is_said_once(self, lab, caplog):
        lab.repository.add(FEATURE)
        lab.repository.down = True
        number = lab.added(plan_of(CheckDeployed(sha=FEATURE, environments=("production",))))
        before = lab.look(number)
        with caplog.at_level(logging.INFO):
            for _ in range(5):
                lab.engine.tick()
            assert lab.look(number) == before
            assert [r.getMessage().split("\n")[0] for r in caplog.records] == [
                f"rollout {number}: the repository is gone"
            ]
            lab.repository.down = False
            lab.engine.tick()
            lab.repository.down = True
            lab.engine.tick()
        assert caplog.messages[1] == f"rollout {number}: well again"
        assert "is gone" in caplog.messages[2]

    def test_harm_is_acted_on_though_the_repository_is_gone(self, lab):
        lab.world.measurements["jobs"] = CALM
        check = CheckDeployed(sha=FEATURE, environments=("production",))
        number = lab.added(plan_of(ramp(10), check, guards=(GUARD,)))
        lab.engine.tick()
        lab.repository.down = True
        lab.world.measurements["jobs"] = HARM
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.ROLLED_BACK

    def test_a_change_that_is_refused_pauses_with_the_reason_and_changes_nothing(self, lab):
        refused = SetGate(
            environments=("dev", "production"), change=Actors(ids=("has blanks",), value=True)
        )
        number = lab.added(plan_of(refused, turn_on("dev")))
        lab.engine.tick()
        lab.engine.tick()
        rollout = lab.look(number).rollout
        assert (rollout.phase, rollout.state("s1").status) == (Phase.PAUSED, StepStatus.FAILED)
        assert "has blanks" in rollout.reason
        assert (lab.gates("dev"), lab.gates("production")) == (None, None)
        lab.execute(SkipStep(rollout=number, reason="mistyped"))
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.COMPLETED
        assert lab.gates("dev") == Gates(boolean=True)

    def test_a_release_version_that_is_none_holds_and_says_so(self, lab):
        lab.repository.add(FEATURE)
        number = lab.added(plan_of(CheckReleased(request=FEATURE, version="fifteen")))
        lab.engine.tick()
        assert "is not a monthly release" in lab.look(number).rollout.state("s1").note

    def test_somebody_elses_move_at_the_same_moment_is_not_overwritten(self, lab):
        number = lab.added(plan_of(turn_on("dev"), turn_on("production")))
        seen = lab.look(number)
        lab.execute(PauseRollout(rollout=number, reason="wait"))
        assert lab.engine._move(seen, Observed()) is None
        assert lab.look(number).rollout.phase is Phase.PAUSED
        assert lab.look(number).rollout.state("s1").status is StepStatus.PENDING


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

    def test_many_slow_ones_do_not_keep_the_engine_from_looking(self, lab, monkeypatch):
        monkeypatch.setattr("flagstaff.engine.loop.PATIENCE", -1)
        lab.added(plan_of(ramp(10), ramp(20), ramp(30), Approve(), announce_to=("#prod",)))
        for count in (1, 2, 3, 3):
            lab.engine.tick()
            assert len(lab.world.done) == count


class TestIssues:
    def test_an_issue_that_cannot_be_written_stops_nothing_and_catches_up(self, lab, caplog):
        lab.world.issue_error = FlagstaffError("the issue is gone")
        number = lab.added(plan_of(turn_on("dev")), issue="/issues/1.md")
        for _ in range(3):
            lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.COMPLETED
        assert sum("the issue is gone" in message for message in caplog.messages) == 1
        lab.world.issue_error = None
        lab.engine.tick()
        assert [each[1].phase for each in lab.world.followed] == [Phase.COMPLETED]
        lab.engine.tick()
        assert len(lab.world.followed) == 1

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
            wait_until(lambda: any("the engine" in message for message in caplog.messages))
            with lab.services.database.write() as connection:
                connection.execute(text("ALTER TABLE hidden RENAME TO effect"))
            wait_until(lambda: lab.look(number).rollout.phase is Phase.COMPLETED)
        finally:
            engine.stop()


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_resuming_and_flags_in_between(lab):
    """A person's own change of the flag is not undone by the engine's next looks."""
    number = lab.added(plan_of(turn_on("dev"), Bake(duration=timedelta(hours=1))))
    lab.engine.tick()
    lab.execute(PauseRollout(rollout=number, reason="lunch"))
    off = SetFlag(flag="new_navigation", environments=("dev",), change=Boolean(value=False))
    said = lab.execute(off)
    assert f"stop it with: flagstaff rollout pause {number}" in said.text
    lab.clock.advance(hours=3)
    lab.execute(ResumeRollout(rollout=number))
    lab.engine.tick()
    assert lab.look(number).rollout.phase is Phase.RUNNING
    lab.clock.advance(hours=1)
    lab.engine.tick()
    assert lab.look(number).rollout.phase is Phase.COMPLETED
    assert lab.gates("dev") == Gates()
