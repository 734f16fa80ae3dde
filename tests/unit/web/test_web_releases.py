"""Which commit runs where, and with which flags?"""

from __future__ import annotations

import pytest

from flagstaff.commands.model import RecordDeployment, SetFlag
from flagstaff.flags.change import Boolean
from flagstaff.flags.gates import Gates
from flagstaff.services.person import ENGINE
from flagstaff.services.releases import MOST_FLAGS
from flagstaff.store import flags
from flagstaff.store.flags import FlagState
from git_sandbox import SURROUNDINGS, GitSandbox


@pytest.fixture
def commits(root, monkeypatch):
    for name, value in SURROUNDINGS.items():
        monkeypatch.setenv(name, value)
    git, found = GitSandbox(root), []
    for title in ("The <old> one", "The new one"):
        git.git("commit", "--allow-empty", "-qm", title)
        found.append(git.git("rev-parse", "HEAD"))
    git.git("tag", "v15.1.0")
    return found


def deploy(application, environment, sha):
    application.services.execute(RecordDeployment(environment=environment, sha=sha), ENGINE)


def row(client, environment):
    page = client.get("/releases?part=places").text
    return next(part for part in page.split("<tr") if f">{environment}</span>" in part)


def test_before_any_deployment_each_environment_says_so(client):
    assert "no deployment recorded" in row(client, "production")


def test_each_environment_shows_its_commit_and_who_is_behind(commits, client, application):
    old, new = commits
    deploy(application, "production", old)
    deploy(application, "staging", new)
    production, staging = row(client, "production"), row(client, "staging")
    assert old[:12] in production
    assert "The &lt;old&gt; one" in production
    assert "behind the newest" in production
    assert new[:12] in staging
    assert "v15.1.0" in staging
    assert "behind" not in staging


def test_what_ran_before_is_kept(commits, client, application):
    for sha in commits:
        deploy(application, "production", sha)
    assert commits[0][:12] in row(client, "production").split("Before")[1]


def test_the_flags_that_are_set_there_are_shown(client, application):
    change = Boolean(value=True)
    application.services.execute(
        SetFlag(flag="new_navigation", environments=("staging",), change=change), ENGINE
    )
    assert "new_navigation" in row(client, "staging")
    assert "new_navigation" not in row(client, "production")


def test_a_stage_sees_the_flags_of_its_environment(client, application):
    for stage, main in application.services.context.project.stages.items():
        assert f"a stage of {main}" in row(client, stage)


def test_of_very_many_flags_the_first_are_named_and_all_are_counted(client, application):
    with application.services.unit(ENGINE, write=True) as unit:
        for number in range(MOST_FLAGS + 7):
            state = FlagState(
                environment="dev",
                flag=f"flag_{number:03}",
                gates=Gates(boolean=True),
                updated_at=unit.now,
                updated_by="ada",
            )
            flags.put(unit.connection, state)
    shown = row(client, "dev")
    assert f"{MOST_FLAGS + 7} flags" in shown
    assert shown.count('class="flagname"') == MOST_FLAGS
    assert "… and 7 more" in shown
    assert 'class="flagname"' not in row(client, "staging")
