"""Does a plan in YAML become a rollout, and can it be edited under way, with a trace?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import START
from flagstaff.commands.model import AbortRollout, ApproveStep, ImportRollout, StartRollout
from flagstaff.commands.plan_model import EditRollout, PlanRollout, ShowPlan
from flagstaff.commands.roles import Role
from flagstaff.definitions import Definitions, Freeze, Policies
from flagstaff.errors import (
    Changed,
    Conflict,
    DefinitionError,
    Forbidden,
    NotFound,
    UsageError,
)
from flagstaff.flags.gates import Gates
from flagstaff.issues import follow
from flagstaff.rollouts.event import Observed
from flagstaff.rollouts.plan import Approve, Bake, SetGate
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services import running
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.services import Services
from flagstaff.store import audit, flags

YAML = """\
flag: new_navigation
announce_to: []
steps:
- ramp: {percentages: [10, 50], dwell: 1h, by: actors, environments: [production]}
- {id: sure, approve: For everybody?}
- set: true
"""
ISSUE = """# Enable `new_navigation` [feature flag]

- [ ] `/chatops run feature set new_navigation 10 --actors`
- [ ] Wait for at least one day.
- [ ] Tell whether it works.
- [ ] `/chatops run feature set new_navigation true`
"""


@pytest.fixture
def policies():
    return Policies(consistency=False)


@pytest.fixture
def run(services, ada):
    return lambda command, **how: services.execute(command, ada, **how)


@pytest.fixture
def observe(services, look):
    def step(number, times=1):
        for _ in range(times):
            with services.unit(ENGINE, write=True) as unit:
                running.step(unit, look(number), Observed())
        return look(number).rollout

    return step


@pytest.fixture
def at_ten(run, observe):
    number = run(PlanRollout(text=YAML, start=True)).data["rollout"]
    assert observe(number, 2).current.id == "bake-10"
    return number


@pytest.fixture
def entries(services):
    def find(number):
        with services.database.read() as connection:
            return [*reversed(audit.find(connection, rollout_id=number))]

    return find


def plan_of(run, number):
    return run(ShowPlan(rollout=number)).data


class TestStarting:
    def test_a_plan_becomes_a_rollout_without_an_issue(self, run, look, entries):
        outcome = run(PlanRollout(text=YAML, start=True))
        record = look(outcome.data["rollout"])
        assert record.rollout.phase is Phase.RUNNING
        assert (record.issue_path, record.issue_text) == ("", "")
        assert [each.action for each in entries(record.rollout.id)][:1] == ["rollout.plan"]
        assert outcome.next == f"flagstaff rollout watch {record.rollout.id}"

    def test_without_a_plan_it_is_the_template_of_the_flags_type(self, run, look):
        number = run(PlanRollout(flag="new_navigation", parameters={"dwell": "2h"})).data["rollout"]
        rollout = look(number).rollout
        assert rollout.phase is Phase.PENDING
        assert rollout.plan.step("watch").action == Bake(duration=timedelta(hours=2))

    def test_the_history_says_which_commit_brought_the_flag(self, run, look, repository):
        repository.add("fea" + "0" * 37)
        repository.introduced = "fea" + "0" * 37
        command = PlanRollout(
            flag="new_navigation",
            template="gitlab_com_derisk",
            parameters={"milestone": "15.2"},
        )
        plan = look(run(command).data["rollout"]).rollout.plan
        assert plan.step("deployed-production").action.sha == "fea" + "0" * 37

    def test_mistakes_are_told_and_nothing_is_written(self, run):
        with pytest.raises(DefinitionError, match=r"plans/x.yml:4: .*'maybe'"):
            run(PlanRollout(text=YAML.replace("by: actors", "by: maybe"), source="plans/x.yml"))
        with pytest.raises(NotFound, match="there is no rollout 1"):
            run(ShowPlan(rollout=1))

    @pytest.mark.parametrize(
        ("command", "error"),
        [
            (PlanRollout(), UsageError),
            (PlanRollout(text=YAML, template="quick"), UsageError),
            (PlanRollout(flag="nothing"), NotFound),
            (PlanRollout(flag="new_navigation", template="none"), DefinitionError),
            (PlanRollout(flag="old_search", text=YAML), DefinitionError),
        ],
    )
    def test_what_is_no_plan(self, run, command, error):
        with pytest.raises(error):
            run(command)

    def test_one_rollout_of_a_flag_at_a_time(self, run):
        run(PlanRollout(text=YAML))
        with pytest.raises(Conflict, match="not over yet"):
            run(PlanRollout(text=YAML))

    def test_a_rehearsal_says_when_each_step_will_be_taken(self, database, context, clock, ada):
        freeze = Freeze(since=START, until=START + timedelta(hours=5), reason="sale")
        policies = Policies(consistency=False, freeze=(freeze,), min_dwell=timedelta(hours=2))
        project = replace(context.project, policies=policies)
        services = Services(database, replace(context, project=project), clock)
        outcome = services.execute(PlanRollout(text=YAML, start=True), ada, dry_run=True)
        assert outcome.text.splitlines()[:7] == [
            "Rollout",
            "  Mon 2026-03-02 14:00 UTC  ramp-10: Set new_navigation to 10 --actors in production",
            "      held: frozen: sale",
            (
                "  Mon 2026-03-02 14:00 UTC  bake-10: Hold 10 % for 1 h (1 h, until Mon 2026-03-02 "
                "15:00 UTC)"
            ),
            "  Mon 2026-03-02 16:00 UTC  ramp-50: Set new_navigation to 50 --actors in production",
            "      held: steps in production keep their distance",
            (
                "  Mon 2026-03-02 16:00 UTC  bake-50: Hold 50 % for 1 h (1 h, until Mon 2026-03-02 "
                "17:00 UTC)"
            ),
        ]
        assert "needs: a person says yes" in outcome.text
        steps = outcome.data["schedule"]["steps"]
        assert next(each["held"] for each in steps) == ["frozen: sale"]
        assert outcome.data["schedule"]["seconds"] == 9 * 3600
        with pytest.raises(NotFound):
            services.execute(ShowPlan(rollout=1), ada)

    def test_so_do_those_of_an_issue_and_of_a_start(self, run):
        assert "at the earliest over" in run(ImportRollout(text=ISSUE), dry_run=True).text
        number = run(ImportRollout(text=ISSUE)).data["rollout"]
        assert "at the earliest over" in run(StartRollout(rollout=number), dry_run=True).text
        assert "at the earliest over" not in run(StartRollout(rollout=number)).text


class TestEditing:
    def test_where_it_stands_it_stays(self, run, look, observe, clock, at_ten, entries):
        seen = plan_of(run, at_ten)
        new = seen["plan"].replace("percentage_of_actors: 50", "percentage_of_actors: 25")
        outcome = run(EditRollout(rollout=at_ten, plan=new, reason="slower", tag=seen["tag"]))
        assert "-  set: {percentage_of_actors: 50, environments: [production]}" in outcome.text
        assert "+  set: {percentage_of_actors: 25, environments: [production]}" in outcome.text
        assert "has 0 steps added, 0 taken out, 1 changed, at bake-10" in outcome.text
        record = look(at_ten)
        assert record.rollout.current.id == "bake-10"
        entry = entries(at_ten)[-1]
        assert (entry.action, entry.who, entry.reason) == ("rollout.edit", "ada", "slower")
        assert entry.after == {"difference": outcome.data["difference"].splitlines()}
        clock.advance(hours=1)
        rollout = observe(at_ten, 2)
        assert rollout.percentage == 25
        assert rollout.state("ramp-10").status is StepStatus.DONE

    def test_a_rollback_restores_what_was_before(self, run, services, at_ten):
        new = plan_of(run, at_ten)["plan"].replace("percentage_of_actors: 50", "boolean: true")
        assert run(EditRollout(rollout=at_ten, plan=new, reason="r")).data["passes"]
        run(AbortRollout(rollout=at_ten, reason="r"))
        with services.database.read() as connection:
            state = flags.get(connection, "production", "new_navigation")
        assert state is None or state.gates == Gates()

    def test_a_rehearsal_shows_the_difference_and_changes_nothing(self, run, look, at_ten):
        before = look(at_ten)
        new = plan_of(run, at_ten)["plan"].replace("bake: 1 h", "bake: 2 h")
        outcome = run(EditRollout(rollout=at_ten, plan=new, reason="r"), dry_run=True)
        assert "+  bake: 2 h" in outcome.text
        assert look(at_ten) == before

    def test_problems_are_told_with_their_lines(self, run, look, at_ten):
        before = look(at_ten)
        new = plan_of(run, at_ten)["plan"].replace("percentage_of_actors: 10", "boolean: true")
        line = new.splitlines().index("- id: ramp-10") + 1
        with pytest.raises(DefinitionError) as caught:
            run(EditRollout(rollout=at_ten, plan=new, reason="r", source="p.yml"))
        assert f"p.yml:{line}: step ramp-10 is over and cannot change; write it as it was" in str(
            caught.value
        )
        assert look(at_ten) == before

    def test_a_plan_that_somebody_else_has_edited_is_not_written_over(self, run, at_ten):
        seen = plan_of(run, at_ten)
        new = seen["plan"].replace("bake: 1 h", "bake: 2 h")
        run(EditRollout(rollout=at_ten, plan=new, reason="r", tag=seen["tag"]))
        with pytest.raises(Changed, match="edited by somebody else"):
            run(EditRollout(rollout=at_ten, plan=seen["plan"], reason="r", tag=seen["tag"]))

    def test_it_can_be_edited_when_the_flag_is_cleaned_up(self, run, services, monkeypatch, at_ten):
        new = plan_of(run, at_ten)["plan"].replace("bake: 1 h", "bake: 2 h")
        gone = replace(services.context, definitions=lambda: Definitions({}))
        monkeypatch.setattr(services, "context", gone)
        run(EditRollout(rollout=at_ten, plan=new, reason="slower"))
        assert "bake: 2 h" in plan_of(run, at_ten)["plan"]
        with pytest.raises(DefinitionError, match="there is no flag"):
            run(PlanRollout(text=YAML))
        with pytest.raises(NotFound, match=f"is defined no more; rollout {at_ten} was its last"):
            run(PlanRollout(flag="new_navigation"))

    def test_the_same_plan_leaves_no_trace(self, run, entries, at_ten):
        before = len(entries(at_ten))
        outcome = run(EditRollout(rollout=at_ten, plan=plan_of(run, at_ten)["plan"], reason="r"))
        assert outcome.text == "nothing to do: this is its plan"
        assert len(entries(at_ten)) == before

    def test_to_pass_an_approval_by_takes_who_may_overrule(self, run, services, look, at_ten):
        operator = Person(
            name="olga",
            source=Source.TERMINAL,
            roles={"production": Role.OPERATOR},
        )
        plan = plan_of(run, at_ten)["plan"]
        without = plan.replace("- id: sure\n  approve: For everybody?\n", "")
        edit = EditRollout(rollout=at_ten, plan=without, reason="r")
        with pytest.raises(Forbidden, match="needs the role maintainer"):
            services.execute(edit, operator)
        services.execute(replace(edit, plan=plan.replace("bake: 1 h", "bake: 2 h")), operator)
        outcome = run(edit)
        assert outcome.data["passes"] == ["takes away the approval sure"]
        assert not any(isinstance(each.action, Approve) for each in look(at_ten).rollout.plan.steps)

    @pytest.mark.parametrize(
        "command",
        [
            EditRollout(rollout=1, plan="flag: new_navigation", reason=" "),
            EditRollout(rollout=1, reason="r"),
            EditRollout(rollout=1, plan="a", issue="b", reason="r"),
        ],
    )
    def test_what_is_no_edit(self, run, at_ten, command):
        assert at_ten == 1
        with pytest.raises(UsageError):
            run(command)


class TestEditedIssue:
    @pytest.fixture
    def followed(self, run, observe, look):
        number = run(ImportRollout(text=ISSUE, start=True)).data["rollout"]
        assert isinstance(observe(number, 2).current.action, Bake)
        return number, look(number).rollout.plan

    def test_boxes_below_the_position_can_be_added_and_changed(self, run, look, followed):
        number, plan = followed
        text = follow(look(number).issue_text, look(number).rollout)
        assert "- [x] `/chatops run feature set new_navigation 10" in text
        edited = text.replace(
            "- [ ] Tell",
            "- [ ] `/chatops run feature set new_navigation 50 --actors`\n- [ ] Ask again.\n"
            "- [ ] Tell",
        )
        outcome = run(EditRollout(rollout=number, issue=edited, reason="slower"))
        rollout = look(number).rollout
        assert "Ask again" in [each.title for each in rollout.plan.steps]
        ids = [each.id for each in rollout.plan.steps]
        assert [each for each in ids if each in {step.id for step in plan.steps}] == [
            each.id for each in plan.steps
        ]
        assert "ramp-50" in ids
        assert rollout.current.id == plan.steps[1].id
        assert look(number).issue_text == edited
        assert "passes" in outcome.data
        ticked = follow(edited, rollout)
        assert ticked.count("[x]") == 1

    def test_the_same_issue_is_the_same_plan(self, run, look, followed):
        number, plan = followed
        text = follow(look(number).issue_text, look(number).rollout)
        outcome = run(EditRollout(rollout=number, issue=text, reason="r"))
        assert outcome.text == "nothing to do: this is its plan"
        assert look(number).rollout.plan == plan

    def test_a_step_that_is_over_stays(self, run, look, followed):
        number, _ = followed
        text = look(number).issue_text.replace(
            "- [ ] `/chatops run feature set new_navigation 10 --actors`\n", ""
        )
        with pytest.raises(DefinitionError, match="is over and cannot be taken out"):
            run(EditRollout(rollout=number, issue=text, reason="r"))


def test_an_approval_of_an_edited_rollout_counts(run, observe, clock, at_ten, look):
    new = plan_of(run, at_ten)["plan"].replace("bake: 1 h", "bake: 30 min")
    run(EditRollout(rollout=at_ten, plan=new, reason="faster"))
    clock.advance(hours=1)
    observe(at_ten, 3)
    clock.advance(hours=1)
    observe(at_ten, 2)
    run(ApproveStep(rollout=at_ten, step="sure"))
    rollout = observe(at_ten, 3)
    assert rollout.phase is Phase.COMPLETED
    assert isinstance(rollout.plan.steps[-1].action, SetGate)
    assert look(at_ten).rollout.percentage == 100
