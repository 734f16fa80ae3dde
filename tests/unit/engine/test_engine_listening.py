"""The engine hears what people say by the boxes of an issue that is a file."""

from __future__ import annotations

import logging
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from flagstaff.commands.access_model import AddPerson
from flagstaff.commands.model import ImportRollout
from flagstaff.definitions import Project
from flagstaff.engine.loop import Engine
from flagstaff.integrations.forge.authors import author_of
from flagstaff.integrations.world import World
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services.boxes import Author
from flagstaff.services.services import Services
from flagstaff.store import audit

ISSUE = """# [FF] Enable `new_navigation`

- [ ] Ensure that the documentation is written
- [ ] `/chatops run feature set new_navigation true --dev`
- [ ] Verify that it works on dev
"""
GIT = ("-c", "user.name=Bea", "-c", "user.email=bea@example.org", "-c", "commit.gpgsign=false")


@pytest.fixture
def issue(tmp_path):
    path = tmp_path / "issues" / "issue.md"
    path.parent.mkdir()
    path.write_text(ISSUE)
    return path


@pytest.fixture
def git(issue):
    def run(*words):
        subprocess.run(["git", "-C", str(issue.parent), *GIT, *words], check=True, timeout=60)

    run("init", "-q")
    run("add", ".")
    run("commit", "-qm", "The issue")
    return run


@pytest.fixture
def room(services, ada, look, issue):
    class Room:
        def __init__(self):
            self.engine = Engine(services, World(Path(), Project()))
            command = ImportRollout(text=ISSUE, path=str(issue), start=True)
            self.number = services.execute(command, ada).data["rollout"]
            self.turn()

        def turn(self):
            self.engine.tick()
            self.engine.tick()

        def edit(self, old, new):
            text = issue.read_text()
            assert old in text
            issue.write_text(text.replace(old, new))

        @property
        def rollout(self):
            return look(self.number).rollout

        @property
        def entries(self):
            with services.database.read() as connection:
                found = audit.find(connection)
            return {(each.action, each.who, each.source) for each in found}

    return Room()


def test_a_tick_of_whoever_edits_the_file_is_their_yes(room, issue):
    assert room.rollout.phase is Phase.WAITING
    room.edit("[ ] Ensure", "[x] Ensure")
    room.turn()
    assert room.rollout.current.id == "verify-works-dev"
    who = "somebody who edits issue.md"
    assert ("step.approve", who, "issue") in room.entries
    assert f"approved by {who}: ticked in issue.md" in issue.read_text()
    assert "- [x] `/chatops" in issue.read_text()


def test_a_tick_that_is_committed_is_its_authors(room, git):
    room.edit("[ ] Ensure", "[x] Ensure")
    git("commit", "-qam", "Documentation is written")
    room.turn()
    assert ("step.approve", "Bea", "issue") in room.entries


def test_a_skip_needs_a_reason_and_takes_it_from_the_text(room, issue):
    room.edit("[ ] Ensure", "[-] Ensure")
    room.turn()
    assert room.rollout.phase is Phase.WAITING
    assert "**why?**" in issue.read_text()
    room.edit("is written\n", "is written. Not needed: nobody sees it\n")
    room.turn()
    state = room.rollout.state("documentation-written")
    assert state.status is StepStatus.SKIPPED
    assert "nobody sees it" in state.note
    assert "**why?**" not in issue.read_text()


def test_a_tick_taken_away_comes_back(room, issue):
    room.edit("[ ] Ensure", "[x] Ensure")
    room.turn()
    room.edit("[x] `/chatops", "[ ] `/chatops")
    room.turn()
    assert "- [x] `/chatops" in issue.read_text()
    assert "**ticked again**" in issue.read_text()
    assert room.rollout.current.id == "verify-works-dev"


def test_with_accounts_only_theirs_count(room, git, services, ada, caplog):
    caplog.set_level(logging.WARNING)
    services.execute(AddPerson(name="ada", roles=("admin",)), ada)
    services.execute(AddPerson(name="bea", roles=("operator",), email="bea@example.org"), ada)
    room.edit("[ ] Ensure", "[x] Ensure")
    room.turn()
    assert room.rollout.phase is Phase.WAITING
    assert sum("issue.md:3: the box does not count" in each for each in caplog.messages) == 1
    git("commit", "-qam", "Documentation is written")
    room.edit("works on dev\n", "works on dev\n\nA word.\n")
    room.turn()
    assert ("step.approve", "bea", "issue") in room.entries


def test_an_account_needs_its_role(room, git, services, ada, caplog):
    caplog.set_level(logging.WARNING)
    services.execute(AddPerson(name="ada", roles=("admin",)), ada)
    services.execute(AddPerson(name="bea", roles=("viewer",), email="bea@example.org"), ada)
    room.edit("[ ] Ensure", "[x] Ensure")
    git("commit", "-qam", "Documentation is written")
    room.turn()
    assert room.rollout.phase is Phase.WAITING
    assert any("bea may not do this" in each for each in caplog.messages)


def test_git_says_who_committed_a_line(issue, git):
    assert author_of(issue, 3, ISSUE.split("\n")[2]) == Author(name="Bea", email="bea@example.org")
    assert author_of(issue, 3, "something else") is None
    assert author_of(issue, 300, "") is None
    issue.write_text(ISSUE.replace("[ ] Ensure", "[x] Ensure"))
    assert author_of(issue, 3, "- [x] Ensure that the documentation is written") is None
    del git


def test_without_a_repository_nobody_is_the_author(issue):
    assert author_of(issue, 3, ISSUE.split("\n")[2]) is None


def test_an_issue_is_read_only_when_something_changed(services, added, tmp_path, lab):
    del added, tmp_path
    read = []
    lab.world.hear_issue = lambda path, rollout: read.append((path, rollout.id)) or ()
    command = ImportRollout(text=ISSUE, path="/issues/1.md", start=True)
    services.execute(command, lab.ada)
    lab.world.stamps["/issues/1.md"] = 1
    lab.engine.tick()
    lab.engine.tick()
    before = len(read)
    lab.engine.tick()
    lab.engine.tick()
    assert len(read) == before
    lab.world.stamps["/issues/1.md"] = 2
    lab.engine.tick()
    assert len(read) == before + 1


def test_where_four_eyes_are_asked_for_a_name_in_a_commit_is_not_enough(
    services, ada, issue, look, context, caplog
):
    caplog.set_level(logging.WARNING)
    project = replace(context.project, policies=replace(context.project.policies, four_eyes=True))
    strict = Services(services.database, replace(context, project=project), services.clock)
    engine = Engine(strict, World(Path(), project))
    command = ImportRollout(text=ISSUE, path=str(issue), start=True)
    number = strict.execute(command, ada).data["rollout"]
    engine.tick()
    issue.write_text(issue.read_text().replace("[ ] Ensure", "[x] Ensure"))
    engine.tick()
    engine.tick()
    assert look(number).rollout.phase is Phase.WAITING
    assert any("four eyes" in message for message in caplog.messages)
