"""The rollout of the demo's flag from an issue on GitLab, from its creation until it is closed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time

import pytest

from flagstaff.commands.access_model import AddPerson, LinkForge
from flagstaff.commands.model import CreateRollout, ShowRollout
from flagstaff.definitions import load_project
from flagstaff.demo.git import git
from flagstaff.demo.people import Team
from flagstaff.demo.plane import ControlPlane
from flagstaff.demo.processes import Application
from flagstaff.demo.repository import create_repository, head
from flagstaff.demo.train import Train
from gitlab_standin import GitLabStandIn
from ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(900)]

PROJECT = "gitlab-org/gitlab"
KEY = base64.b64encode(b"k" * 32).decode()
DEFINITION = "config/feature_flags/development/rename_integrations_workers.yml"
KILLED_AT = {"CheckDeployed", "AskPerson", "SetGate", "Bake", "OpenCleanup", "Close"}
# Asked for changes so seldom that ticks count by webhooks alone.
FORGES = """
forges:
  gitlab:
    url: {url}
    project: gitlab-org/gitlab
    poll: 1h
"""


def signed(body, event):
    """Sign as GitLab does, by the standard of webhooks."""
    name, stamp = os.urandom(8).hex(), str(int(time.time()))
    digest = hmac.new(b"k" * 32, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "X-Gitlab-Event": event,
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


@pytest.fixture
def standin():
    standin = GitLabStandIn(PROJECT)
    standin.add_user("toupeira")
    yield standin
    standin.close()


@pytest.fixture
def repository(tmp_path, standin):
    feature = standin.open_issue(
        PROJECT, "Names of integrations jobs say what they do", "As planned."
    )
    repository = create_repository(tmp_path / "integrations", webhook=None)
    settings = repository.root / "flagstaff.yml"
    settings.write_text(settings.read_text() + FORGES.format(url=standin.url))
    definition = repository.root / DEFINITION
    definition.write_text(definition.read_text() + f"feature_issue_url: {feature['web_url']}\n")
    git(repository.root, "commit", "--quiet", "--all", "-m", "Say where issues are kept")
    return repository


@pytest.fixture
def plane(repository, standin, monkeypatch):
    monkeypatch.setenv("FLAGSTAFF_GITLAB_TOKEN", "bot-token")
    monkeypatch.setenv("FLAGSTAFF_GITLAB_WEBHOOK_SECRET", f"whsec_{KEY}")
    plane = ControlPlane(repository.root, speed=5760, port=free_port())
    standin.hook = (f"{plane.start()}/forges/gitlab", signed)
    yield plane
    plane.stop()


@pytest.fixture
def train(plane, repository):
    renames = load_project(repository.root).renames
    return Train(repository.root, plane.server("release-train"), [each.old for each in renames])


@pytest.fixture
def application(plane, repository, train):
    commit = head(repository.root)
    application = Application(
        checkout=train.checkout(commit),
        state=repository.root,
        port=free_port(),
        environment={
            "FLAGSTAFF_URL": plane.server().url,
            "FLAGSTAFF_TOKEN_FILE": str(repository.root / ".flagstaff" / "token"),
            "FLAGSTAFF_ENVIRONMENT": "production",
        },
    )
    application.start()
    train.record(commit)
    yield application
    application.stop()


def tick(standin, line):
    """Tick the box in a line as its engineer does on the page, our notes not counted."""

    def change(text):
        lines, seen = text.split("\n"), 0
        for at, each in enumerate(lines):
            seen += not each.rstrip().endswith("<!-- flagstaff -->")
            if seen == line:
                lines[at] = each.replace("[ ]", "[x]", 1)
                break
        return "\n".join(lines)

    standin.edit(PROJECT, 2, change, by="toupeira")


def run_to_the_end(number, *, plane, standin, team, train, application):
    """Do what people do; on the way, kill the control plane as a machine that loses power would."""
    server, ticked, killed = plane.server("ada"), set(), set()
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        rollout = server.execute(ShowRollout(rollout=number)).data
        if rollout["phase"] in {"completed", "rolled_back"}:
            return rollout
        step = next((each for each in rollout["steps"] if each["id"] == rollout["step"]), None)
        if step and step["kind"] in KILLED_AT - killed:
            killed.add(step["kind"])
            plane._process.kill()
            plane.start()
        if step and step["status"] == "waiting" and (PROJECT, 2) in standin.issues:
            if step["id"] not in ticked:
                ticked.add(step["id"])
                tick(standin, step["line"])
        else:
            team.look(
                {**rollout, "steps": [e for e in rollout["steps"] if e["status"] == "active"]}
            )
        train.run(application)
        time.sleep(0.1)
    raise AssertionError(f"it never ended: {rollout['phase']} at {rollout['step']}")


@pytest.fixture
def made(plane, repository):
    """The rollout begun from an issue that is yet to be made, by people who are known."""
    server = plane.server("ada")
    server.execute(AddPerson(name="ada", roles=("admin",)))
    server.execute(AddPerson(name="toupeira", roles=("operator",)))
    server.execute(LinkForge(user="toupeira", person="toupeira"))
    return server.execute(
        CreateRollout(
            flag="rename_integrations_workers",
            template=repository.rollout_issue.read_text(),
            placeholders={"milestone": "15.2", "owner": "toupeira"},
            start=True,
        )
    )


def test_the_issue_is_made_run_to_its_end_and_closed(
    application, train, made, plane, repository, standin
):
    server = plane.server("ada")
    rollout = run_to_the_end(
        made.data["rollout"],
        plane=plane,
        standin=standin,
        team=Team(repository.root, server),
        train=train,
        application=application,
    )
    assert rollout["phase"] == "completed", rollout["reason"]
    standin.wait(lambda: standin.issue(PROJECT, 2)["state"] == "closed")
    issue, notes = standin.issue(PROJECT, 2), standin.notes(PROJECT, 2)
    told = "\n\n----\n\n".join([issue["title"], issue["description"], *notes])
    print(told)  # noqa: T201 what the whole is about; shown with -s and when it fails
    check_issue(issue, notes)
    assert len(standin.issues) == 2, "the issue was made once"
    assert standin.issue(PROJECT, 1)["state"] == "closed"
    (closing,) = standin.notes(PROJECT, 1)
    assert "has been taken out of the code" in closing
    log = (repository.root / "var" / "output" / "control-plane.log").read_text()
    for text in (told, made.text, str(made.data), log):
        assert "bot-token" not in text
        assert KEY not in text


def check_issue(issue, notes):
    """It reads as a careful engineer would have left it."""
    assert "- [ ]" not in issue["description"].split("Rollback Steps")[0]
    assert "- [ ] Turn the feature off" in issue["description"], "rollback steps stay as they are"
    assert issue["title"] == "[Feature flag] Enable rename_integrations_workers"
    assert issue["assignee"]["username"] == "toupeira"
    assert issue["milestone"]["title"] == "15.2"
    assert {"feature flag", "feature flag state::enabled"} <= set(issue["labels"])
    assert len([each for each in issue["labels"] if "state::" in each]) == 1
    assert issue["description"].count("ticked in gitlab-org/gitlab#2") == 4
    assert "**ticked again**" not in issue["description"]
    in_order = [
        "set to true in dev",
        "set to true in staging",
        "10 --random: **set**",
        "75 --random: **set**",
        "set to true in production",
        "merged as",
        "was first released in v15.2",
        "closed gitlab-org/gitlab#1",
        "deleted in production",
        "**Rollout completed**",
    ]
    places = [issue["description"].index(each) for each in in_order]
    assert places == sorted(places)
    changes = [each for each in notes if "/change-" in each]
    assert len(changes) == 6, "four shares, everybody, and the deletion"
    assert [len([e for e in notes if mark in e]) for mark in ("/overview -->", "/end -->")] == [
        1,
        1,
    ]
