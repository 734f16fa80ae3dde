"""Is a plan checked without a server, from the files of the project?"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from flagstaff.cli.main import run


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


def test_without_logs_that_is_said(project, capsys):
    del project
    assert run(CHECK) == 1
    assert "no file matches log/jobs-*.jsonl" in capsys.readouterr().out


def test_an_issue_with_problems_is_refused_with_them(project, capsys):
    del project
    assert run(CHECK[:3]) == 2
    assert "--set milestone=VALUE" in capsys.readouterr().err
