"""Is a plan in YAML read with everything that is wrong at once, and are templates filled in?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import pytest

from fakes import GUARD, START, definitions_in
from flagstaff.commands.roles import Role
from flagstaff.definitions import JobRename, Project
from flagstaff.definitions.brokers import Broker
from flagstaff.definitions.commands import ProjectCommand
from flagstaff.definitions.plans import (
    Surroundings,
    default_template,
    read_plan,
    template_names,
    write_plan,
)
from flagstaff.definitions.plans.kind_fields import ROLES
from flagstaff.definitions.plans.kinds import KINDS
from flagstaff.definitions.project import PlanSettings, RampSettings
from flagstaff.errors import DefinitionError
from flagstaff.flags.change import Actors, Boolean, Expression, Groups, PercentageOfActors
from flagstaff.flags.change import PercentageOfTime as OfTime
from flagstaff.issues import import_issue
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
from flagstaff.rollouts.plan import (
    Action,
    Announce,
    Approve,
    Bake,
    CheckDeployed,
    CheckReleased,
    CleanupPart,
    DeleteFlag,
    OpenCleanup,
    Preset,
    SetGate,
)
from flagstaff.rollouts.rules import OnFail, OnInconclusive, OnTimeout, RollbackTo, Then

CONDITION = "production.percentage >= 25"
HEAD = "flag: new_navigation\nsteps:\n"
CHANNELS = MappingProxyType({"production": "#production", "team": "#team"})


@pytest.fixture
def around(tmp_path):
    return Surroundings(
        root=tmp_path,
        project=Project(channels=CHANNELS),
        known_flags=definitions_in(tmp_path),
    )


@pytest.fixture
def read(around):
    def reading(text, **more):
        return read_plan(text, replace(around, **more), source="plans/x.yml").plan

    return reading


@pytest.fixture
def wrong(read):
    def problems(text, **more):
        with pytest.raises(DefinitionError) as caught:
            read(text, **more)
        return [str(each) for each in caught.value.problems]

    return problems


def actions(plan):
    return [each.action for each in plan.steps]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("true", Boolean(value=True)),
        ("{boolean: off}", Boolean(value=False)),
        ("{percentage_of_actors: 12.5}", PercentageOfActors(value=Decimal("12.5"))),
        ("{percentage_of_time: 1}", OfTime(value=Decimal(1))),
        ("{actors: ['User:1', 'Project:7']}", Actors(ids=("User:1", "Project:7"), value=True)),
        ("{groups: team, enabled: false}", Groups(names=("team",), value=False)),
        ("{expression: none}", Expression(value=None)),
        (
            """{expression: '{"Equal": [{"Property": ["plan"]}, "gold"]}'}""",
            Expression(value={"Equal": [{"Property": ["plan"]}, "gold"]}),
        ),
    ],
)
def test_every_gate_can_be_set(read, text, change):
    (action,) = actions(read(f"{HEAD}- set: {text}\n"))
    assert action == SetGate(environments=("production",), change=change)


def test_a_ramp_is_a_set_and_a_wait_for_each_percentage(read):
    plan = read(
        f"{HEAD}- ramp: {{percentages: [1, 50, 100], dwell: 1d, by: time, environments: [dev]}}\n"
    )
    day = Bake(duration=timedelta(days=1))
    assert actions(plan) == [
        SetGate(environments=("dev",), change=OfTime(value=Decimal(1))),
        day,
        SetGate(environments=("dev",), change=OfTime(value=Decimal(50))),
        day,
        SetGate(environments=("dev",), change=Boolean(value=True)),
        day,
    ]
    ids = [each.id for each in plan.steps]
    assert ids == ["ramp-1", "bake-1", "ramp-50", "bake-50", "ramp-100", "bake-100"]


def test_a_ramp_without_more_is_the_projects(read):
    plan = read(f"{HEAD}- ramp:\n")
    assert [each.id for each in plan.steps if isinstance(each.action, SetGate)] == [
        *("ramp-1", "ramp-10", "ramp-25", "ramp-50", "ramp-75")
    ]
    assert plan.steps[1].action == Bake(duration=timedelta(minutes=15))


@pytest.mark.parametrize(
    ("ramp", "held"),
    [
        ("", [("10", 15), ("50", 15), ("95", 2880)]),
        ("{percentages: [20, 60], dwell: 1h}", [("20", 60), ("60", 60)]),
        ("{hold_back: 2.5}", [("10", 15), ("50", 15), ("97-5", 2880)]),
        (
            "{percentages: [50, 95, 98, 100], hold_back: 5, dwell: 3d}",
            [("50", 4320), ("95", 4320), ("98", 4320), ("100", 4320)],
        ),
    ],
)
def test_some_are_held_back_for_the_verification_term(read, around, ramp, held):
    project = replace(
        around.project,
        ramp=RampSettings(
            percentages=(Decimal(10), Decimal(50)), hold_back=Decimal(5), term=timedelta(days=2)
        ),
    )
    plan = read(f"{HEAD}- ramp: {ramp}\n- set: true\n", project=project)
    found = [
        (each.id.removeprefix("bake-"), each.action.duration / timedelta(minutes=1))
        for each in plan.steps
        if isinstance(each.action, Bake)
    ]
    assert found == held


def test_the_rest_of_the_kinds(read):
    plan = read(
        HEAD
        + "- check: {deployed: abc123, environments: [dev, production]}\n"
        + "- check: {released: cleanup, version: 15.10}\n"
        + "- check: {released: '!7'}\n"
        + "- announce: It begins.\n"
        + "- announce: {text: Hello, channels: [team, '#ops']}\n"
        + "- approve: Tested?\n"
        + "- cleanup: old_jobs\n"
        + "- delete: [dev, staging]\n"
    )
    assert actions(plan) == [
        CheckDeployed(sha="abc123", environments=("dev", "production")),
        CheckReleased(request="", version="15.10"),
        CheckReleased(request="!7"),
        Announce(text="It begins.", channels=("#production", "#team")),
        Announce(text="Hello", channels=("#team", "#ops")),
        Approve(),
        OpenCleanup(part=CleanupPart.OLD_JOBS),
        DeleteFlag(environments=("dev", "staging")),
    ]
    assert plan.steps[5].title == "Tested?"
    assert [each.id for each in plan.steps[3:5]] == ["announce", "announce-2"]


def test_a_stage_holds_until_the_next(read):
    plan = read(f"{HEAD}- {{stage: A, approve: x}}\n- approve: y\n- {{stage: B, approve: z}}\n")
    assert [each.stage for each in plan.steps] == ["A", "A", "B"]


def test_an_id_that_is_made_up_gives_way_to_one_that_is_written(read):
    plan = read(f"{HEAD}- bake: 1d\n- {{id: bake, bake: 2d}}\n")
    assert [each.id for each in plan.steps] == ["bake-2", "bake"]


def test_what_is_done_already_is_marked(read):
    (step,) = read(f"{HEAD}- {{approve: x, state: skipped, reason: not ours}}\n").steps
    assert (step.preset, step.reason) == (Preset.SKIPPED, "not ours")


def test_every_mistake_is_said_at_once_with_place_and_remedy(wrong):
    text = """\
flag: new_navigaton
stepz: 1
announce_to: []
production: [prod]
steps:
- sett: true
- bake: 1x
- set: {boolean: maybe, environment: [prod]}
- set: {percentage_of_actors: 10, percentage_of_time: 1}
- check: {relesed: x}
- {id: a b, approve: }
- {approve: x, bake: 1d}
- ramp: {percentages: [10, 5], title: x}
- set: {percentage_of_actors: 10, environments: [prodction]}
- title: nothing
- cleanup: definitions
- {bake: 1d, state: finished}
- check: {deployed: <sha>, environments: [dev]}
"""
    said = "\n".join(wrong(text))
    for words in (
        "plans/x.yml:1: there is no flag 'new_navigaton'; did you mean `new_navigation`?",
        "plans/x.yml:2: has the unknown key 'stepz'; delete it, as `steps` is there too",
        "plans/x.yml:4: `production` names 'prod', which is no environment",
        "plans/x.yml:6: has the unknown key 'sett' in `steps`; did you mean `set`?",
        "plans/x.yml:7: `steps.bake.duration`",
        "plans/x.yml:8: has the unknown key 'environment'",
        "plans/x.yml:8: `steps.set.boolean` is 'maybe'; write true or false",
        "plans/x.yml:9: sets `percentage_of_actors` and `percentage_of_time` in one step",
        "plans/x.yml:10: `steps.check` says nothing to check; did you mean `released`?",
        "plans/x.yml:11: `steps.id`: 'a b' cannot name a step",
        "plans/x.yml:12: has a step that is `approve` and `bake` at once; make a step of each",
        "plans/x.yml:13: `ramp.percentages` does not rise from 10 to 5",
        "plans/x.yml:14: `steps.set.environments` names 'prodction', which is no environment",
        "plans/x.yml:15: has a step that does nothing; write one of set, bake",
        "plans/x.yml:16: `steps.cleanup.part` is 'definitions', which is unknown",
        "plans/x.yml:17: `steps.state` is 'finished', which is unknown",
        "plans/x.yml:18: `steps.check.deployed`: '<sha>' is no commit",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; begin with: flagstaff plan new FLAG"),
        ("- a\n", "is a list, not a mapping"),
        ("flag: new_navigation\n", "has no `steps`"),
        ("flag: new_navigation\nsteps: []\n", "`steps` is empty"),
        ("steps:\n- approve: x\n", "names no flag; add `flag: NAME`"),
        (f"{HEAD}- {{id: a, approve: x}}\n- {{id: a, approve: y}}\n", "two steps with the id 'a'"),
        ("flag: new_navigation\nextends: quik\n", "no template 'quik'; did you mean `quick`?"),
        (
            "flag: new_navigation\nextends: quick\nparameters: {dwel: 1h}\n",
            "gives 'dwel', which nothing uses; did you mean `dwell`?",
        ),
        (
            "flag: new_navigation\nextends: quick\nwithout: [verfy]\n",
            "`without` names 'verfy', which is no step; did you mean `verify`?",
        ),
        (
            "flag: new_navigation\nextends: gitlab_com_derisk\n",
            "nothing says what `<milestone>` is; give `--set milestone=VALUE`",
        ),
        (
            f"{HEAD}- approve: <whom> x\nparameters: {{who: me}}\n",
            "uses `<whom>`, which is no parameter",
        ),
        (f"{HEAD}- approve: x\nguards: [jobs]\n", "`guards` names 'jobs'"),
    ],
)
def test_what_is_wrong_is_named(wrong, text, words):
    assert words in "\n".join(wrong(text))


def test_a_plan_is_for_the_flag_that_is_asked_for(wrong):
    (said,) = wrong(f"{HEAD}- approve: x\n", flag="old_search")
    assert "is a plan for 'new_navigation', not for 'old_search'" in said


class TestTemplates:
    def test_ours_are_there(self, around):
        names = template_names(around.root, around.project)
        assert names == ("gitlab_com_derisk", "quick", "rename_workers")

    @pytest.mark.parametrize("name", ["gitlab_com_derisk", "quick", "rename_workers"])
    def test_ours_are_in_order(self, read, name):
        answers = {"milestone": "15.2", "merge-commit-of-your-feature": "abc"}
        given = answers if name != "quick" else {}
        plan = read(f"flag: new_navigation\nextends: {name}\n", answers=given)
        assert len(plan.steps) > 5
        assert "<" not in write_plan(plan)
        assert plan.guards == ()

    def test_parameters_are_filled_in_nearest_first(self, read, tmp_path):
        folder = tmp_path / "plans/templates"
        folder.mkdir(parents=True)
        (folder / "team.yaml").write_text(
            "extends: quick\nparameters: {dwell: 2h, who: the team}\n"
            "before:\n  verify:\n  - {id: ask, approve: 'Did <who> agree?'}\n"
        )
        plan = read("flag: new_navigation\nextends: team\nparameters: {who: Ada}\n")
        assert [each.id for each in plan.steps][:3] == ["set-staging", "ask", "verify"]
        assert plan.step("ask").title == "Did Ada agree?"
        assert plan.step("ask").stage == "Before production"
        assert plan.step("watch").action == Bake(duration=timedelta(hours=2))
        changed = read("flag: new_navigation\nextends: team\n", answers={"dwell": "1d"})
        assert changed.step("bake-10").action == Bake(duration=timedelta(days=1))

    def test_steps_can_be_left_out_and_put_in(self, read):
        plan = read(
            "flag: new_navigation\nextends: quick\nwithout: [verify, bake-10]\n"
            "after: {ramp-50: [{bake: 1h}], watch: [{approve: Done?}]}\n"
        )
        assert [each.id for each in plan.steps] == [
            *("set-staging", "ramp-10", "ramp-50", "bake", "bake-50"),
            *("set-production", "watch", "approve"),
        ]

    def test_a_mistake_in_a_template_is_told_with_its_file(self, wrong, tmp_path):
        folder = tmp_path / "plans/templates"
        folder.mkdir(parents=True)
        (folder / "team.yml").write_text("steps:\n- bake: soon\n")
        (said,) = wrong("flag: new_navigation\nextends: team\n")
        assert said.startswith("plans/templates/team.yml:2: `steps.bake.duration`: 'soon' is not")

    def test_a_circle_is_refused(self, wrong, tmp_path):
        folder = tmp_path / "plans/templates"
        folder.mkdir(parents=True)
        (folder / "a.yml").write_text("extends: b\n")
        (folder / "b.yml").write_text("extends: a\n")
        said = wrong("flag: new_navigation\nextends: a\n")
        assert any("which extends it in turn: a → b → a" in each for each in said)

    def test_a_flags_team_counts_more_than_its_type(self, around):
        definition = around.known_flags["new_navigation"]
        rename = JobRename(flag="new_navigation", old="A", new="B")
        assert default_template(definition, Project()) == "quick"
        assert default_template(definition, Project(renames=(rename,))) == "rename_workers"
        by_type = PlanSettings(by_type={"ops": "slow"})
        assert default_template(definition, Project(plans=by_type)) == "slow"
        both = PlanSettings(by_type={"ops": "slow"}, by_group={"group::navigation": "nav"})
        assert default_template(definition, Project(plans=both)) == "nav"


def test_guards_written_out_are_read_as_they_were(read):
    guard = replace(GUARD, weight=0.25, max_time=timedelta(hours=3), slower_than=0.25)
    pairs = replace(GUARD, name="in pairs", ranked=True, required=False)
    plan = replace(read(f"{HEAD}- approve: x\n"), guards=(guard, pairs))
    assert read(write_plan(plan)) == plan


def test_the_plan_of_an_issue_survives(around):
    samples = Path(__file__).parents[1] / "issues/samples"
    flag = "rename_integrations_workers"
    answers = {"milestone": "15.2", "merge-commit-of-your-feature": "0" * 40}
    for sample in ("rename_integrations_workers.md",):
        imported = import_issue(
            (samples / sample).read_text(),
            project=around.project,
            known_flags={flag},
            resolve=answers,
        )
        assert read_plan(write_plan(imported.plan), around).plan == imported.plan


def test_roles_are_those_there_are():
    assert {*ROLES} == {each.value for each in Role} - {"application"}


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("- wait: 2h", Wait(duration=timedelta(hours=2))),
        ("- wait: {until: 2026-03-02T10:00:00+01:00}", Wait(until=START)),
        ("- wait: {condition: production.percentage >= 25}", Wait(condition=CONDITION)),
        ("- run: smoke", RunCommand(command="smoke")),
        ("- check: {command: smoke}", CheckCommand(command="smoke")),
        ("- check: {healthy: production}", CheckHealth()),
        ("- check: {healthy: [jobs]}", CheckHealth(guards=("jobs",))),
        (
            "- check: {http: 'https://x/y', path: a.0, equals: ok, timeout: 3s}",
            CheckHttp(url="https://x/y", path="a.0", equals="ok", timeout=timedelta(seconds=3)),
        ),
        (
            "- check: {workers_ready: shop.notify, broker: main, queue: shop}",
            CheckWorkersReady(name="shop.notify", broker="main", queue="shop"),
        ),
        ("- check: {drained: n, broker: main}", CheckDrained(name="n", broker="main")),
        (
            "- check: {drained: n, broker: main, queues: [a, b], stable: 1m, cleaned_up: true}",
            CheckDrained(
                name="n",
                broker="main",
                queues=("a", "b"),
                stable=timedelta(minutes=1),
                cleaned_up=True,
            ),
        ),
        (
            "- migrate: {jobs: shop.notify, to: b, broker: main}",
            MigrateJobs(name="shop.notify", to="b", broker="main"),
        ),
        (
            "- migrate: {jobs: a, to: a, broker: main, old_queue: shop, new_queue: other}",
            MigrateJobs(name="a", to="a", broker="main", old_queue="shop", new_queue="other"),
        ),
        (
            "- delete_queue: {queue: shop, broker: main}",
            DeleteQueue(queue="shop", broker="main"),
        ),
        (
            "- check: {flag: {percentage_of_actors: 25}, environments: [staging]}",
            CheckFlag(environments=("staging",), change=PercentageOfActors(value=Decimal(25))),
        ),
        (
            (
                "- {title: Sure?, approve: {role: maintainer, count: 2, four_eyes: yes, "
                "timeout: 1d, on_timeout: abort}}"
            ),
            Approve(
                role="maintainer",
                count=2,
                four_eyes=True,
                timeout=timedelta(days=1),
                on_timeout=OnTimeout.ABORT,
            ),
        ),
        (
            "- bake: {duration: 1h, max_time: 3h, on_inconclusive: go_on}",
            Bake(
                duration=timedelta(hours=1),
                max_time=timedelta(hours=3),
                on_inconclusive=OnInconclusive.GO_ON,
            ),
        ),
    ],
)
def test_all_that_the_machine_knows_can_be_written(read, around, text, action):
    project = replace(
        around.project,
        commands={"smoke": ProjectCommand(run=("true",))},
        brokers={"main": Broker(url="redis://x")},
    )
    plan = read(f"{HEAD}{text}\n", project=project)
    assert actions(plan) == [action]
    assert read(write_plan(plan), project=project) == plan
    assert {kind.action for kind in KINDS} == {*get_args(Action)}


def test_rules_stand_beside_a_step(read):
    plan = read(
        f"{HEAD}- {{id: a, approve: x, on_fail: back}}\n"
        "- {set: true, requires: [a], when: flag.type == ops, timeout: 1h,"
        " on_fail: {then: rollback, retries: 2, back_off: 5m}}\n"
        "rollback_to: previous\nexpiry: 7d\n"
    )
    first, second = plan.steps
    assert first.on_fail == OnFail(then=Then.BACK)
    assert second.on_fail == OnFail(then=Then.ROLLBACK, retries=2, back_off=timedelta(minutes=5))
    assert (second.requires, second.when) == (("a",), "flag.type == ops")
    assert second.timeout == timedelta(hours=1)
    assert (plan.rollback_to, plan.expiry) == (RollbackTo.PREVIOUS, timedelta(days=7))
    assert read(write_plan(plan)) == plan


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {approve: x, requires: [b]}", "step approve requires 'b', which is no step before it"),
        ("- {approve: x, when: sometimes}", "`steps.when`: this is no condition"),
        ("- {approve: x, on_fail: rolback}", "did you mean `rollback`?"),
        ("- run: smoke", "'smoke', which is no command of the project; declare it under"),
        ("- wait: {duration: 1h, condition: percentage > 1}", "more than one thing, or for none"),
        ("- wait: {until: tomorrow}", "'tomorrow' is no moment with a time zone"),
        ("- {approve: {role: king}}", "`steps.approve.role` is 'king', which is unknown"),
        ("- migrate: {jobs: a, broker: main}", "has no `steps.migrate.to`; add `to: …`"),
        ("- migrate: {jobs: a, to: a}", "leaves jobs what and where they are"),
        (
            "- migrate: {jobs: a, to: a, old_queue: q, new_queue: q}",
            "leaves jobs what and where they are",
        ),
        ("- migrate: {jobs: a, to: b, old_queue: q}", "is one queue, and the other is missing"),
        ("- delete_queue: {queue: -x}", "'-x' is no name of a queue"),
        ("- delete_queue: {queue: x, broker: other}", "which is no broker of the project"),
        ("- {approve: {count: 0}}", "nobody cannot say yes; write 1 or more"),
    ],
)
def test_what_is_wrong_with_rules_is_named(wrong, text, words):
    assert words in "\n".join(wrong(f"{HEAD}{text}\n"))


@pytest.mark.parametrize("text", ["a\x85", "a \u2028b", "\u2029", "a\x85 b"])
def test_ends_of_lines_that_only_yaml_knows_are_kept(read, text):
    plan = read(f"{HEAD}- approve: x\n")
    wild = replace(plan, title=text, steps=(replace(plan.steps[0], title=text, reason=text),))
    assert read(write_plan(wild)) == wild
