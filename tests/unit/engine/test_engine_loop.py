"""Does the engine carry rollouts through, whatever goes wrong around them?"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from fakes import CALM, CALMER, GUARD, HARM, THIN, plan_of, ramp, turn_on
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    PauseRollout,
    ResumeRollout,
    SetFlag,
    SkipStep,
)
from flagstaff.errors import Refused, Unavailable
from flagstaff.flags.change import Actors, Boolean
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.event import EffectDone, Observed, Skipped
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
from flagstaff.rollouts.rollout import Cleanup, Phase, SavedGates, StepStatus
from flagstaff.services import running
from flagstaff.services.person import ENGINE
from flagstaff.store import audit, tables

FEATURE, BRANCH, MERGE = "fea" + "0" * 37, "c1e" + "0" * 37, "3e6" + "0" * 37
HELLO = Announce(channels=("#ops",), text="Hello")


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
        lab.world.measurements["jobs"] = CALMER
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
        lab.clock.advance(seconds=15)
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.ROLLED_BACK
        assert lab.gates("production") == Gates(actors=frozenset({"User:1"}))
        assert lab.gates("dev") is None
        assert "rolled back in dev, production" in lab.world.done[-1].text
        assert lab.world.followed[-1][1].phase is Phase.ROLLED_BACK


class TestRestoring:
    BOOTH = SetFlag(
        flag="new_navigation",
        environments=("production",),
        change=Actors(ids=("User:booth",), value=True),
    )
    BOOTH_GATES = Gates(actors=frozenset({"User:booth"}))

    def test_what_people_set_before_the_first_change_there_stays(self, lab):
        plan = plan_of(turn_on("dev"), Approve(), ramp(10), Approve())
        number = lab.added(plan)
        assert lab.at(number) == "s2"
        lab.execute(self.BOOTH)
        lab.execute(ApproveStep(rollout=number))
        assert lab.at(number) == "s4"
        assert lab.gates("production") == replace(
            self.BOOTH_GATES, percentage_of_actors=Decimal(10)
        )
        lab.execute(AbortRollout(rollout=number, reason="harm"))
        assert (lab.gates("production"), lab.gates("dev")) == (self.BOOTH_GATES, None)

    def test_what_counts_is_how_it_was_before_the_first_change_not_a_later_one(self, lab):
        lab.execute(self.BOOTH)
        plan = plan_of(ramp(10), ramp(50), DeleteFlag(environments=("production",)), Approve())
        number = lab.added(plan)
        assert lab.at(number) == "s4"
        assert lab.gates("production") is None
        saved = SavedGates(environment="production", gates=self.BOOTH_GATES)
        assert lab.look(number).rollout.before == (saved,)
        lab.execute(AbortRollout(rollout=number, reason="harm"))
        assert lab.gates("production") == self.BOOTH_GATES

    def test_nothing_is_saved_where_nothing_was_changed(self, lab):
        number = lab.added(plan_of(turn_on("dev", "staging"), Approve(), ramp(10)))
        assert lab.at(number) == "s2"
        assert lab.look(number).rollout.before == (
            SavedGates(environment="dev", gates=None),
            SavedGates(environment="staging", gates=None),
        )
        lab.execute(self.BOOTH)
        lab.execute(AbortRollout(rollout=number, reason="harm"))
        assert lab.gates("production") == self.BOOTH_GATES


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

    def test_what_is_new_is_read_when_a_poll_is_due_and_wakes_nobody(self, lab):
        lab.world.measurements["jobs"] = THIN
        number = lab.added(plan_of(ramp(10), Approve(), guards=(GUARD,)))
        lab.engine.tick()
        heard = []
        lab.services.listen(heard.append)
        lab.world.measurements["jobs"] = CALM
        lab.clock.advance(seconds=14)
        lab.engine.tick()
        assert lab.look(number).readings[0].measurement.treatment == THIN.treatment
        lab.clock.advance(seconds=1)
        lab.engine.tick()
        assert lab.look(number).readings[0].measurement.treatment == CALM.treatment
        assert heard == [{f"readings:{number}"}]

    def test_a_reading_that_was_not_written_is_read_again_and_counts_once(self, lab, monkeypatch):
        lab.world.measurements["jobs"] = THIN
        number = lab.added(plan_of(ramp(10), Approve(), guards=(GUARD,)))
        lab.engine.tick()
        before = lab.look(number)
        lab.world.measurements["jobs"] = CALM
        lab.clock.advance(minutes=1)
        with monkeypatch.context() as dying:

            def dies(*_, **__):
                raise Unavailable("killed between reading and writing")

            dying.setattr("flagstaff.services.moving.store.save", dies)
            lab.engine.tick()
            assert lab.look(number) == before
        lab.engine.tick()
        lab.clock.advance(minutes=1)
        lab.engine.tick()
        state = lab.look(number).rollout.watches[0].evidence
        assert (state.treatment.total, state.control.total) == (1000, 1000)
        assert state.poll == before.rollout.watches[0].evidence.poll + 1


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
        lab.clock.advance(seconds=15)
        lab.engine.tick()
        assert lab.look(number).rollout.phase is Phase.ROLLED_BACK

    @pytest.mark.parametrize("asked", ["answers", "allowed"])
    def test_nothing_else_is_asked_once_a_guard_sees_harm(self, lab, monkeypatch, asked):
        lab.world.measurements["jobs"] = CALM
        number = lab.added(plan_of(ramp(10), Approve(), ramp(50), guards=(GUARD,)))
        lab.engine.tick()
        with lab.services.unit(ENGINE, write=True) as unit:
            done = Skipped(step="s2", by="ada", reason="seen")
            running.step(unit, lab.look(number), done)

        def broken(*_):
            raise Refused("the answer cannot be read")

        monkeypatch.setattr(f"flagstaff.services.running.{asked}", broken)
        lab.world.measurements["jobs"] = HARM
        lab.clock.advance(seconds=15)
        lab.engine.tick()
        rollout = lab.look(number).rollout
        assert rollout.phase is Phase.ROLLED_BACK
        assert "jobs with the flag on" in rollout.reason

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
        assert lab.engine._looker._move(seen, Observed()) is None
        assert lab.look(number).rollout.phase is Phase.PAUSED
        assert lab.look(number).rollout.state("s1").status is StepStatus.PENDING


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
