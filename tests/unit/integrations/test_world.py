"""Does the outside do what the engine asks, as the project's settings have it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import GUARD, START, plan_of, turn_on
from flagstaff.definitions import Project
from flagstaff.errors import Conflict
from flagstaff.integrations import world as module
from flagstaff.integrations.world import World
from flagstaff.rollouts.effect import CloseIssue, Post, WriteCleanup
from flagstaff.rollouts.event import EffectDone
from flagstaff.rollouts.guard import Kept
from flagstaff.rollouts.plan import CleanupPart, CloseTarget

PLAN = plan_of(turn_on("dev"))
POST = Post(key="7/s1/0", step="s1", channels=("#ops", "#team"), text="Hello")
WRITE = WriteCleanup(key="7/s1/0", step="s1")


def close(target, reference=""):
    return CloseIssue(key="7/s1/0", step="s1", target=target, reference=reference)


def test_without_a_webhook_an_announcement_is_noted(tmp_path):
    done = World(tmp_path, Project()).perform(POST, PLAN)
    assert done == EffectDone(
        step="s1", note="noted here for #ops, #team: no chat webhook is set in flagstaff.yml"
    )


def test_with_a_webhook_it_is_posted(tmp_path, monkeypatch):
    posted = []
    monkeypatch.setattr(module, "post", lambda url, effect: posted.append((url, effect)))
    project = replace(Project(), webhook="https://chat.example.com/hook")
    done = World(tmp_path, project).perform(POST, PLAN)
    assert posted == [("https://chat.example.com/hook", POST)]
    assert done == EffectDone(step="s1", note="posted to #ops, #team")


def test_the_rollout_issue_closes_itself_and_others_are_left_to_people(tmp_path):
    world = World(tmp_path, Project())
    assert world.perform(close(CloseTarget.ROLLOUT_ISSUE), PLAN).ask == ""
    asked = world.perform(close(CloseTarget.FEATURE_ISSUE, "group/app#12"), PLAN).ask
    assert "close group/app#12 yourself, then approve" in asked
    assert "the feature issue" in world.perform(close(CloseTarget.FEATURE_ISSUE), PLAN).ask


def test_each_watch_reads_its_logs_on_from_where_it_was(tmp_path):
    log = tmp_path / "log/jobs.jsonl"
    log.parent.mkdir()
    line = f'{{"class": "New", "job_status": "done", "time": "{START.isoformat()}"}}\n'
    log.write_text(line)
    world = World(tmp_path, Project())
    assert world.measure(GUARD, Kept(since=START)).treatment.total == 1
    with log.open("a") as file:
        file.write(line)
    assert world.measure(GUARD, Kept(since=START)).treatment.total == 2
    assert world.measure(GUARD, Kept(since=START + timedelta(hours=1))).treatment.total == 0


class TestCleanup:
    @pytest.fixture
    def world(self, git_sandbox):
        git_sandbox.commit(
            "Begin",
            **{
                "config__feature_flags__ops__new_navigation.yml": "name: new_navigation\n",
                "app.py": (
                    "def page(flags):\n"
                    '    if flags.is_enabled("new_navigation"):\n'
                    '        return "new"\n'
                    '    return "old"\n'
                ),
                "CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n",
            },
        )
        return World(git_sandbox.root, Project())

    def test_is_a_branch_and_the_checkout_stays_as_it_is(self, git_sandbox, world):
        main = git_sandbox.head()
        done = world.perform(WRITE, PLAN)
        assert done.cleanup.branch == "cleanup/new_navigation"
        assert git_sandbox.head("cleanup/new_navigation") == done.cleanup.commit
        assert {CleanupPart.REFERENCES, CleanupPart.DEFINITION} <= {*done.cleanup.parts}
        assert (git_sandbox.head(), git_sandbox.git("status", "--porcelain")) == (main, "")
        assert "is_enabled" not in git_sandbox.git("show", "cleanup/new_navigation:app.py")

    def test_again_changes_nothing(self, world):
        assert world.perform(WRITE, PLAN) == world.perform(WRITE, PLAN)

    def test_of_a_flag_that_is_gone_asks_for_a_person(self, world):
        with pytest.raises(Conflict, match="refers to old_search"):
            world.perform(WRITE, replace(PLAN, flag="old_search"))
