"""Is a plan checked without a server, from the files of the project?"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from flagstaff.cli.forecasting import with_forecasts
from flagstaff.cli.main import run
from flagstaff.commands.outcome import Outcome
from git_sandbox import GitSandbox


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tmp_path / "integrations"
    shutil.copytree(str(files("flagstaff.demo") / "app"), folder)
    (folder / "log").mkdir()
    monkeypatch.chdir(folder)
    return folder


def ran(folder, number, failing):
    now = datetime.now(UTC)
    with (folder / "log/jobs-1.jsonl").open("w") as log:
        for each in range(number):
            ended = (now - timedelta(seconds=2 * each)).isoformat()
            status = "fail" if each % failing == 0 else "done"
            entry = {"class": "irker", "job_status": status, "completed_at": ended}
            log.write(json.dumps(entry) + "\n")


CHECK = ["plan", "check", "rollout.md", "--set", "milestone=15.2"]


def test_each_stage_is_told_with_what_it_can_see(project, capsys):
    ran(project, 20_000, 200)
    assert run(CHECK) == 1
    said = capsys.readouterr().out
    assert "renamed workers: 100 of 20,000 jobs under the old names failed in the last day" in said
    assert "  Hold 10 % for 15 min: about 21 jobs under the new names; sees harm from" in said
    assert "warning: Hold 10 % for 15 min: 2x gets through unseen" in said


@pytest.mark.parametrize("name", ["rollout.md", "plan.yml"])
def test_the_commit_that_brought_the_flag_is_looked_up(project, capsys, name):
    extended = "flag: rename_integrations_workers\nextends: rename_workers\n"
    (project / "plan.yml").write_text(extended)
    shown = ["plan", "show", name, "--set", "milestone=15.2"]
    assert run(shown) == 0
    assert "Check that 000000000000 is deployed" in capsys.readouterr().out
    git = GitSandbox(project)
    brought = git.commit("The project")
    git.commit("Something else", notes="new")
    assert run(shown) == 0
    assert f"Check that {brought[:12]} is deployed" in capsys.readouterr().out


LOOSE = """# Enable `rename_integrations_workers`

- [ ] 25 % for an hour
- [-] Tell the press
- [ ] Remove the flag from the code
"""


def test_what_is_left_to_people_is_told_and_a_cleanup_of_what_nothing_opened(project, capsys):
    issue = project / "loose.md"
    issue.write_text(LOOSE)
    assert run(["plan", "check", "loose.md"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("line 3 is left to a person: 25 % for an hour\n")
    assert "and no step opens it in production" in said
    command = "`/chatops run feature set rename_integrations_workers true`"
    issue.write_text(LOOSE.replace("25 % for an hour", command))
    run(["plan", "check", "loose.md"])
    said = capsys.readouterr().out
    assert "left to a person" not in said
    assert "no step opens it" not in said


SHOP = """
sources:
  shop: {sql: "sqlite:///shop.db", lag: 0s}
guards:
  - name: orders
    flag: rename_integrations_workers
    source: shop
    counts: orders
    query: >-
      SELECT variant AS cohort, sum(failed) AS bad, count(*) AS total FROM orders
      WHERE at >= :since AND at < :until GROUP BY variant
"""
STAGES = (
    "flag: rename_integrations_workers\nsteps:\n- set: {percentage_of_actors: 10}\n- bake: 15m\n"
)


def test_the_source_of_a_guard_is_asked_what_there_was(project, capsys):
    (project / "plan.yml").write_text(STAGES)
    settings = project / "flagstaff.yml"
    before = settings.read_text().partition("guards:")[0]
    settings.write_text(before + SHOP)
    now = datetime.now(UTC)
    times = [f"{now - timedelta(seconds=each):%Y-%m-%d %H:%M:%S}" for each in range(9000)]
    with closing(sqlite3.connect(project / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE orders (at TEXT, variant TEXT, failed INTEGER)")
        rows = [(at, "off", number % 100 == 0) for number, at in enumerate(times)]
        shop.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    assert run(["plan", "check", "plan.yml"]) == 1
    said = capsys.readouterr().out
    assert "orders failed in the last day" in said
    assert "about 9 orders with the flag on; sees harm from" in said
    assert "2x gets through unseen" in said
    assert run(["plan", "show", "plan.yml"]) == 0
    assert "orders with the flag on" not in capsys.readouterr().out  # shown without asking anybody
    (project / "shop.db").unlink()
    assert run(["plan", "check", "plan.yml"]) == 1
    said = capsys.readouterr().out
    assert "warning: orders: what its stages can tell is not known" in said
    assert "does not answer the query" in said


def test_without_logs_that_is_said(project, capsys):
    del project
    assert run(CHECK) == 1
    assert "no file matches log/jobs-*.jsonl" in capsys.readouterr().out


def test_an_issue_with_problems_is_refused_with_them(project, capsys):
    del project
    assert run(CHECK[:3]) == 2
    assert "--set milestone=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["check", "show"])
@pytest.mark.usefixtures("project")
def test_an_answer_to_nothing_is_refused(capsys, verb):
    assert run(["plan", verb, "rollout.md", "--set", "milestone=15.2", "--set", "foo=1"]) == 2
    told = capsys.readouterr()
    assert "`--set foo=…`: there is no <foo> in the issue" in told.err
    assert "there are: <" in told.err


def test_a_plan_is_begun_from_the_template_of_a_rename(project, capsys):
    assert run(["plan", "new", "rename_integrations_workers"]) == 0
    said = capsys.readouterr().out
    assert "wrote plans/rename_integrations_workers.yml" in said
    assert "extends: rename_workers" in said
    path = project / "plans/rename_integrations_workers.yml"
    assert "milestone:  # has to be said" in path.read_text()
    assert run(["plan", "new", "rename_integrations_workers"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert run(["plan", "show", str(path)]) == 2
    assert "nothing says what `<milestone>` is" in capsys.readouterr().err


def test_a_plan_is_shown_with_what_its_guards_can_tell(project, capsys):
    ran(project, 20_000, 200)
    run(["plan", "new", "rename_integrations_workers"])
    capsys.readouterr()
    shown = ["plan", "show", "plans/rename_integrations_workers.yml", "--set", "milestone=15.2"]
    assert run(shown) == 0
    said = capsys.readouterr().out
    assert "renamed workers: about 21 jobs under the new names; sees harm from" in said
    assert "needs: a release" in said
    assert run([*shown, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    told = [each["tells"] for each in data["schedule"]["steps"] if each["id"] == "bake-10"]
    assert "renamed workers: about 21 jobs" in told[0][0]
    assert run([*shown, "--yaml"]) == 0
    (project / "whole.yml").write_text(capsys.readouterr().out)
    assert run(["plan", "show", "whole.yml", "--yaml"]) == 0
    assert capsys.readouterr().out == (project / "whole.yml").read_text()


def test_a_dry_run_is_told_with_what_can_be_seen_here(project, capsys):
    ran(project, 20_000, 200)
    assert run(["plan", "show", *CHECK[2:], "--json"]) == 0
    rehearsed = Outcome(text="said", data=json.loads(capsys.readouterr().out)["data"])
    told = with_forecasts(rehearsed)
    assert told.text.endswith("\n\nsaid")
    assert "100 of 20,000 jobs under the old names failed" in told.text
    (project / "flagstaff.yml").write_text("x: y")
    assert with_forecasts(rehearsed) == rehearsed
    assert with_forecasts(Outcome(text="x")) == Outcome(text="x")


def test_an_issue_is_shown_as_a_plan(project, capsys):
    del project
    assert run(["plan", "show", *CHECK[2:], "--yaml"]) == 0
    assert "- id: ramp-10\n" in capsys.readouterr().out


def test_templates_are_listed_with_their_parameters(project, capsys):
    del project
    assert run(["plan", "templates"]) == 0
    assert "quick (dwell: 15m)" in capsys.readouterr().out


def test_what_is_wrong_with_a_plan_is_told(project, capsys):
    (project / "x.yml").write_text("flag: rename_integrations_workers\nsteps:\n- bake: 1x\n")
    assert run(["plan", "check", "x.yml"]) == 2
    assert "x.yml:3: `steps.bake.duration`" in capsys.readouterr().err
    assert run(["plan", "new", "nothing"]) == 1
    assert run(["rollout", "start", "7", "--plan", "quick"]) == 2
    assert "has its plan already" in capsys.readouterr().err
