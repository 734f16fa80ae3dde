"""Does a rollout hold while a policy says no, and go on by itself when it no longer does?"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from fakes import START, plan_of, ramp, turn_on
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    SetFlag,
    ShowRollout,
    SkipStep,
)
from flagstaff.definitions import Freeze, HealthCheck, Policies
from flagstaff.errors import Conflict, Refused, UsageError
from flagstaff.flags.change import Boolean
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.event import Answer, Observed
from flagstaff.rollouts.plan import Approve, AskPerson, Bake, DeleteFlag
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services import running
from flagstaff.services.person import ADMIN_EVERYWHERE, ENGINE, Person, Source
from flagstaff.store import audit

BOB = Person(name="bob", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
FREEZE = Freeze(since=START, until=START + timedelta(hours=3), reason="big launch")


def held(lab, number):
    """Return the words of the step that is held."""
    step = lab.at(number)
    record = lab.look(number)
    assert record.rollout.phase is Phase.RUNNING
    state = record.rollout.state(step)
    assert state.status is StepStatus.ACTIVE
    assert state.note.startswith("held by policy: ")
    return state.note


def entries(lab):
    with lab.services.database.read() as connection:
        return audit.find(connection)[::-1]


class TestFreeze:
    @pytest.fixture
    def policies(self):
        return Policies(consistency=False, freeze=(FREEZE,))

    def test_it_waits_for_the_end_and_goes_on(self, lab):
        number = lab.added(plan_of(turn_on("dev"), ramp(5), turn_on("dev")))
        note = held(lab, number)
        assert "production is frozen: big launch" in note
        assert f"flagstaff rollout approve {number} --step s2 --override change-lock" in note
        assert lab.gates("dev") == Gates(boolean=True)
        assert lab.gates("production") is None
        before = lab.look(number).revision
        lab.clock.advance(hours=2)
        held(lab, number)
        assert lab.look(number).revision == before
        lab.clock.advance(hours=1)
        assert lab.at(number) is None
        assert lab.gates("production").percentage_of_actors == 5

    def test_people_are_shown_why(self, lab):
        number = lab.added(plan_of(ramp(5)))
        held(lab, number)
        assert "big launch" in lab.execute(ShowRollout(rollout=number)).text

    def test_one_step_can_be_let_through(self, lab):
        number = lab.added(plan_of(ramp(5), ramp(10)))
        held(lab, number)
        with pytest.raises(Conflict, match="nobody's word"):
            lab.execute(ApproveStep(rollout=number))
        with pytest.raises(UsageError, match="needs a reason"):
            lab.execute(ApproveStep(rollout=number, overrides=("change-lock",)))
        word = ApproveStep(rollout=number, overrides=("change-lock",), reason="agreed on")
        lab.execute(word)
        assert lab.at(number) == "s2"
        held(lab, number)
        assert lab.gates("production").percentage_of_actors == 5
        told = [
            (each.action, each.who, each.reason, each.override)
            for each in entries(lab)
            if each.override
        ]
        assert told == [
            ("step.approve", "ada", "agreed on", "change-lock"),
            ("flag.set", "flagstaff", "agreed on", "change-lock"),
        ]

    def test_the_wrong_override_is_no_help(self, lab):
        number = lab.added(plan_of(ramp(5)))
        held(lab, number)
        lab.execute(ApproveStep(rollout=number, overrides=("max-step",), reason="why not"))
        assert "big launch" in held(lab, number)
        lab.execute(ApproveStep(rollout=number, overrides=("change-lock",), reason="now then"))
        assert lab.at(number) is None

    def test_the_issue_may_name_an_override(self, lab):
        step = replace(ramp(5), overrides=("change-lock",))
        assert lab.at(lab.added(plan_of(step))) is None
        [changed] = [each for each in entries(lab) if each.override]
        assert (changed.override, changed.reason) == ("change-lock", "the rollout issue says so")

    def test_a_held_rollout_can_be_aborted_and_closing_is_never_held(self, lab):
        off = SetFlag(
            flag="new_navigation",
            environments=("production",),
            change=Boolean(value=True),
            overrides=("change-lock",),
            reason="the launch",
        )
        lab.execute(off)
        number = lab.added(plan_of(ramp(50), turn_on("production")))
        held(lab, number)
        assert lab.gates("production").percentage_of_actors == 50
        lab.execute(AbortRollout(rollout=number, reason="enough"))
        assert lab.gates("production") == Gates(boolean=True)

    def test_it_is_looked_at_again_in_the_transaction(self, lab):
        number = lab.added(plan_of(ramp(5)))
        record = lab.look(number)
        yes = Observed(policy=Answer(yes=True, text=""))
        with lab.services.unit(ENGINE, write=True) as unit:
            running.step(unit, record, yes)
        held(lab, number)
        assert lab.gates("production") is None


class TestOthers:
    @pytest.fixture
    def policies(self):
        return Policies(max_step=Decimal(50), min_dwell=timedelta(minutes=15))

    def test_staging_first_holds_until_somebody_turns_it_on(self, lab):
        number = lab.added(plan_of(ramp(5)))
        assert "off in staging" in held(lab, number)
        command = SetFlag(
            flag="new_navigation", environments=("staging",), change=Boolean(value=True)
        )
        lab.execute(command)
        assert lab.at(number) is None

    def test_a_ramp_obeys_the_largest_step_and_the_dwell(self, lab):
        plan = plan_of(turn_on("staging"), ramp(1), ramp(10), turn_on("production"))
        number = lab.added(plan)
        assert "at least 15 min apart" in held(lab, number)
        lab.clock.advance(minutes=15)
        note = held(lab, number)
        assert "a step of 90 percentage points" in note
        word = ApproveStep(rollout=number, overrides=("max-step", "min-dwell"), reason="small app")
        lab.execute(word)
        assert lab.at(number) is None

    def test_the_clean_up_may_begin_in_staging(self, lab):
        lab.execute(
            SetFlag(
                flag="new_navigation",
                environments=("staging", "production"),
                change=Boolean(value=True),
                overrides=("max-step",),
                reason="setting up",
            )
        )
        only_staging = lab.added(plan_of(DeleteFlag(environments=("staging",))))
        assert "on in production" in held(lab, only_staging)
        lab.execute(AbortRollout(rollout=only_staging, reason="not so"))
        both = plan_of(
            DeleteFlag(environments=("staging",)), DeleteFlag(environments=("production",))
        )
        assert lab.at(lab.added(both)) is None


class TestHealth:
    @pytest.fixture
    def policies(self):
        return Policies(consistency=False, health=HealthCheck(url="http://x"))

    @pytest.fixture
    def context(self, context):
        return replace(context, health=lambda: self.answer)

    def settle(self, lab):
        """Let the thread that asks come to its end."""
        deadline = time.monotonic() + 60
        while lab.services.health._asking and time.monotonic() < deadline:
            time.sleep(0.01)

    def test_it_holds_while_production_is_unwell_and_asks_again(self, lab, monkeypatch):
        monkeypatch.setattr("flagstaff.services.health.FRESH", 600.0)
        self.answer = Answer(yes=False, text="incident 7 is open")
        number = lab.added(plan_of(ramp(5)))
        lab.at(number)
        self.settle(lab)
        assert "incident 7 is open" in held(lab, number)
        self.answer = Answer(yes=True, text="all well")
        assert "incident 7 is open" in held(lab, number)  # asked a moment ago
        monkeypatch.setattr("flagstaff.services.health.FRESH", 0.0)
        lab.at(number)
        self.settle(lab)
        monkeypatch.setattr("flagstaff.services.health.FRESH", 60.0)
        assert lab.at(number) is None
        assert lab.gates("production").percentage_of_actors == 5


class TestFourEyes:
    @pytest.fixture
    def policies(self):
        return Policies(four_eyes=True)

    def test_somebody_else_approves(self, lab):
        number = lab.added(plan_of(Approve(), turn_on("dev")))
        assert lab.at(number) == "s1"
        with pytest.raises(Refused, match="ada has started this rollout") as caught:
            lab.execute(ApproveStep(rollout=number))
        assert "--override four-eyes --reason WHY" in caught.value.hint
        skip = SkipStep(rollout=number, reason="no time")
        with pytest.raises(Refused):
            lab.execute(skip)
        lab.services.execute(ApproveStep(rollout=number), BOB)
        assert lab.at(number) is None

    def test_alone_at_night(self, lab):
        number = lab.added(plan_of(Approve()))
        lab.at(number)
        lab.execute(ApproveStep(rollout=number, overrides=("four-eyes",), reason="all asleep"))
        assert lab.at(number) is None
        other = lab.added(plan_of(Approve()))
        lab.execute(SkipStep(rollout=other, overrides=("four-eyes",), reason="all asleep"))
        told = [each.action for each in entries(lab) if each.override == "four-eyes"]
        assert told == ["step.approve", "step.skipped"]

    def test_what_a_person_is_to_do_they_may_say_is_done(self, lab):
        number = lab.added(plan_of(AskPerson(), Bake(duration=timedelta(0))))
        lab.at(number)
        lab.execute(ApproveStep(rollout=number))
        assert lab.at(number) is None
