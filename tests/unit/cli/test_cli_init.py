import json
import re
import subprocess

import pytest

from flagstaff.cli.init import EXAMPLE, TEMPLATE
from flagstaff.cli.main import run
from flagstaff.definitions import load_project
from flagstaff.definitions.project import Project


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_project_with_the_example_has_nothing_wrong(here, capsys):
    assert run(["init"]) == 0
    (here / "config/feature_flags/ops").mkdir()
    (here / "config/feature_flags/ops/new_navigation.yml").write_text(EXAMPLE)
    capsys.readouterr()
    assert run(["lint"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "nothing is wrong\n")


def test_the_template_says_the_defaults(here):
    run(["init"])
    assert load_project(here) == Project()


@pytest.mark.parametrize("asked", ["checked out", "origin's"])
def test_the_main_branch_is_the_one_of_the_repository(here, asked):
    git = ["git", "-c", "init.defaultBranch=trunk", "-C"]
    subprocess.run([*git, str(here), "init", "--quiet"], check=True)
    if asked == "origin's":
        there = ["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]
        subprocess.run([*git, str(here), *there], check=True)
        subprocess.run([*git, str(here), "symbolic-ref", "HEAD", "refs/heads/mine"], check=True)
    run(["init"])
    assert load_project(here).main_branch == "trunk"


def test_what_the_template_only_suggests_is_right_as_well(here):
    suggested = re.sub(r"(?m)^# (?=[a-z]+:|  )", "", TEMPLATE)
    (here / "flagstaff.yml").write_text(suggested)
    project = load_project(here)
    assert project.placeholders
    assert project.channels
    assert project.webhook
    assert project.renames
    assert project.guards


def test_a_dry_run_writes_nothing(here, capsys):
    assert run(["init", "--dry-run"]) == 0
    assert "would write flagstaff.yml" in capsys.readouterr().out
    assert list(here.iterdir()) == []


def test_settings_are_never_written_over(here, capsys):
    (here / "flagstaff.yml").write_text("mine")
    assert run(["init"]) == 1
    assert (here / "flagstaff.yml").read_text() == "mine"
    assert "flagstaff lint" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_named(here, capsys):
    (here / "config").write_text("a file")
    assert run(["init"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_lint_counts_and_names_what_is_wrong(here, capsys):
    (here / "flagstaff.yml").write_text("ramp: 3\n")
    assert run(["lint"]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("error: flagstaff.yml:1: ")
    assert told.err == "1 error, 1 warning\n"
    assert run(["lint", "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["ok"] is False
    assert shown["errors"][0]["line"] == 1


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("flagstaff.yml", "flags: a\nramp: 3\n", 2),
        ("config/feature_flags/ops/x.yml", "name: x\ntype: opps\n", 2),
    ],
)
def test_a_server_does_not_start_on_broken_files(here, capsys, name, text, line):
    path = here / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert run(["server"]) == 2
    told = capsys.readouterr()
    assert f"{name}:{line}: " in told.err
    assert "flagstaff lint" in told.err
    assert not (here / ".flagstaff").exists()
