"""Does `flagstaff workers plan rename` write a plan that can be run, or say what is missing?"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta

import pytest

from flagstaff.cli.main import run
from flagstaff.cli.plan_sources import project_here
from flagstaff.definitions.plans import read_plan
from flagstaff.rollouts.checks import CheckDrained, CheckWorkersReady, DeleteQueue, MigrateJobs
from flagstaff.rollouts.plan import Bake, Close, DeleteFlag, OpenCleanup, SetGate

FLAG = "new_navigation"
SETTINGS = """
brokers: {main: {url: "redis://127.0.0.1:1"}}
ramp: {percentages: [10, 50], dwell: 5m}
"""
RENAMES = """
renames:
  - flag: new_navigation
    old: shop.notify
    new: integrations.notify
    old_queue: shop
    new_queue: integrations
"""
NAMES = ("--old", "shop.notify", "--new", "integrations.notify")
QUEUES = ("--old-queue", "shop", "--new-queue", "integrations")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "config/feature_flags/ops"
    folder.mkdir(parents=True)
    text = f"name: {FLAG}\ntype: ops\ndefault_enabled: false\ngroup: group::navigation\n"
    (folder / f"{FLAG}.yml").write_text(text)
    (tmp_path / "flagstaff.yml").write_text(SETTINGS)
    return tmp_path


def written(capsys, *words):
    assert run(["workers", "plan", "rename", FLAG, *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["data"]
    return told, read_plan(told["plan"], project_here()).plan


def test_the_plan_asks_workers_before_every_share_and_proves_the_drain_before_the_cleanup(
    capsys, project
):
    told, plan = written(capsys, *NAMES, *QUEUES, "--stable", "1m")
    new = CheckWorkersReady(name="integrations.notify", broker="main", queue="integrations")
    actions = [each.action for each in plan.steps]
    shares = [n for n, each in enumerate(actions) if isinstance(each, SetGate)]
    assert [str(actions[n].change) for n in shares] == ["10 --actors", "50 --actors", "true"]
    assert all(actions[n - 1] == new for n in shares)
    assert actions[1] == CheckWorkersReady(name="shop.notify", broker="main", queue="shop")
    drained = [n for n, each in enumerate(actions) if isinstance(each, CheckDrained)]
    assert {actions[n].queues for n in drained} == {("shop",)}
    cleanups = [n for n, each in enumerate(actions) if isinstance(each, OpenCleanup)]
    deleted = next(n for n, each in enumerate(actions) if isinstance(each, DeleteFlag))
    assert shares[-1] < drained[0] < cleanups[0] < deleted < drained[1]
    assert [actions[n].cleaned_up for n in drained] == [False, True]
    assert isinstance(actions[drained[0] - 1], Bake)
    assert isinstance(actions[-1], Close)
    assert (project / told["path"]).read_text() == told["plan"]
    assert [each["new_queue"] for each in told["renames"]] == ["integrations"]


def test_it_can_be_checked_shown_and_started(capsys):
    written(capsys, *NAMES, "--dry-run")
    assert run(["workers", "plan", "rename", FLAG, *NAMES]) == 0
    told = capsys.readouterr()
    assert f"next: flagstaff rollout start {FLAG} --plan plans/{FLAG}.yml" in told.err
    assert run(["plan", "show", f"plans/{FLAG}.yml"]) == 0
    assert "every worker knows the name" in capsys.readouterr().out
    assert run(["workers", "plan", "rename", FLAG, *NAMES]) == 1, "it is there already"


def test_renames_of_the_project_are_taken_and_named_in_no_warning(capsys, project):
    (project / "flagstaff.yml").write_text(SETTINGS + RENAMES)
    told, plan = written(capsys)
    assert told["renames"][0]["old"] == "shop.notify"
    assert plan.title == "Rename shop.notify to integrations.notify"
    assert [each for each in told["warnings"] if "renames:" in each] == []


def test_what_moves_and_deletes_stands_where_it_loses_nothing(capsys):
    _, plan = written(capsys, *NAMES, *QUEUES, "--migrate")
    actions = [each.action for each in plan.steps]
    moved = actions.index(
        MigrateJobs(
            name="shop.notify",
            to="integrations.notify",
            broker="main",
            old_queue="shop",
            new_queue="integrations",
        )
    )
    deleted = actions.index(DeleteQueue(queue="shop", broker="main"))
    assert isinstance(actions[moved + 1], CheckDrained)
    assert isinstance(actions[deleted - 1], CheckDrained)
    assert deleted > next(n for n, each in enumerate(actions) if isinstance(each, DeleteFlag))


def test_queues_are_kept_where_that_is_asked_for_or_something_still_waits_in_them(capsys):
    _, plan = written(capsys, *NAMES, *QUEUES, "--keep-queues", "--dry-run")
    assert not any(isinstance(each.action, DeleteQueue | MigrateJobs) for each in plan.steps)
    two = ("--old", "a", "--new", "b", "--old-queue", "integrations", "--new-queue", "other")
    _, plan = written(capsys, *NAMES, *QUEUES, *two, "--dry-run")
    deleted = [each.action.queue for each in plan.steps if isinstance(each.action, DeleteQueue)]
    assert deleted == ["shop"], "jobs wait under new names in the other"


def test_a_job_that_stays_in_its_queue_is_renamed_there(capsys):
    _, plan = written(capsys, *NAMES, "--migrate")
    assert [each.action for each in plan.steps if isinstance(each.action, MigrateJobs)] == [
        MigrateJobs(name="shop.notify", to="integrations.notify", broker="main")
    ]


def test_several_jobs_of_one_flag_are_all_asked_about(capsys):
    _, plan = written(capsys, *NAMES, "--old", "a", "--new", "b", "--percentages", "5")
    known = [each.action.name for each in plan.steps if isinstance(each.action, CheckWorkersReady)]
    new, old = ["integrations.notify", "b"], ["shop.notify", "a"]
    assert known == [new[0], old[0], new[1], old[1], *new, *new]


@pytest.mark.parametrize(
    ("ramp", "words", "shares"),
    [
        ("", ("--hold-back", "5"), ["10 --actors", "50 --actors", "95 --actors", "true"]),
        (
            "",
            ("--percentages", "5,99", "--hold-back", "2"),
            ["5 --act", "98 --a", "99 --a", "true"],
        ),
        (", hold_back: 4", (), ["10 --actors", "50 --actors", "96 --actors", "true"]),
        (", hold_back: 4", ("--percentages", "20"), ["20 --actors", "true"]),
    ],
)
def test_a_few_jobs_keep_the_old_name_for_the_term(capsys, project, ramp, words, shares):
    settings = SETTINGS.replace("dwell: 5m", f"dwell: 5m{ramp}") + "verification_term: 6h\n"
    (project / "flagstaff.yml").write_text(settings)
    _, plan = written(capsys, *NAMES, *words)
    actions = [each.action for each in plan.steps]
    steps = [n for n, each in enumerate(actions) if isinstance(each, SetGate)]
    found = [str(actions[n].change) for n in steps]
    assert len(found) == len(shares)
    assert all(each.startswith(share) for each, share in zip(found, shares, strict=True))
    lengths = [actions[n + 1].duration for n in steps]
    held = [length for each, length in zip(found, lengths, strict=True) if each[:2] in "959896"]
    assert held == [timedelta(hours=6)] * len(held)
    assert bool(held) is (words != ("--percentages", "20"))
    # Workers are asked before this step as before every other.
    assert all(isinstance(actions[n - 1], CheckWorkersReady) for n in steps)


@pytest.mark.parametrize("name", ["yes", "ü: x", "1.5", "a#b", "null", "{x}", "a'b\"c"])
def test_any_name_is_written_so_that_it_is_read_as_the_same(capsys, name):
    name = name.replace(" ", "")
    _, plan = written(capsys, "--old", name, "--new", f"{name}2", "--dry-run")
    assert {each.action.name for each in plan.steps if isinstance(each.action, CheckDrained)} == {
        name
    }


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 2, "nothing says which jobs new_navigation renames"),
        (("--old", "a"), 2, "--old is given 1 times, --new 0 times"),
        (("--old", "a", "--new", "a"), 2, "the same name before and after"),
        ((*NAMES, "--old-queue", "a"), 2, "--new-queue 0 times"),
        ((*NAMES, "--app", "x:app"), 2, "names are given, and an application"),
        (("--app", "no_such_module:app"), 2, "no Celery application at no_such_module:app"),
        ((*NAMES, "--broker", "other"), 2, "is 'other', which is no broker of the project"),
        ((*NAMES, "--hold-back", "60"), 2, "60 is more than half"),
        ((*NAMES, "--percentages", "50,10"), 2, "numbers above 0 and below 100 that rise"),
        ((*NAMES, "--environment", "moon"), 2, "which is no environment"),
        (("--old", "-x", "--new", "y"), 2, "is no name of a job"),
    ],
)
def test_what_is_missing_is_said_and_nothing_written(capsys, project, words, code, says):
    assert run(["workers", "plan", "rename", FLAG, *words]) == code
    assert says in capsys.readouterr().err.replace('"', "'")
    assert not (project / "plans").exists()


def test_without_a_broker_the_entry_is_named(capsys, project):
    (project / "flagstaff.yml").unlink()
    assert run(["workers", "plan", "rename", FLAG, *NAMES]) == 2
    assert "brokers: {main: {url:" in capsys.readouterr().err


APP = """
from celery import Celery

from flagstaff.workers import renames


class Flags:
    def is_enabled(self, name, *actors):
        return False


app = Celery("shop", set_as_current=False)
for number in (1, 2):
    names = {"old": f"old{number}", "new": f"new{number}", "client": Flags()}
    queues = {"old_queue": "old", "new_queue": "new"}
    renames.declare(app, flag="new_navigation", actor=renames.BY_TIME, **names, **queues)
renames.declare(app, flag="other", old="a", new="b", client=Flags())
"""


def test_the_application_says_what_it_renames_and_of_what_shares_are(
    capsys, project, monkeypatch, request
):
    module = f"shop_of_{os.getpid()}"
    request.addfinalizer(lambda: sys.modules.pop(module, None))
    (project / f"{module}.py").write_text(APP)
    monkeypatch.syspath_prepend(project)
    told, plan = written(capsys, "--app", f"{module}:app")
    assert [(each["old"], each["new_queue"]) for each in told["renames"]] == [
        ("old1", "new"),
        ("old2", "new"),
    ]
    changes = [each.action.change for each in plan.steps if isinstance(each.action, SetGate)]
    assert [str(each) for each in changes] == ["10 --random", "50 --random", "true"]


@pytest.mark.parametrize(
    ("settings", "words", "held"),
    [
        ("", (), True),
        ("policies: {consistency: false}\n", (), False),
        ("", ("--environment", "staging"), False),
        ("environments: [dev, production]\n", (), False),
    ],
)
def test_it_says_when_a_policy_will_hold_the_plan(capsys, project, settings, words, held):
    (project / "flagstaff.yml").write_text(SETTINGS + settings)
    told, _ = written(capsys, *NAMES, *words)
    said = [each for each in told["warnings"] if f"feature set {FLAG} true --staging" in each]
    assert bool(said) is held
