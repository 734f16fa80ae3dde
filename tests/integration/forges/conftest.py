"""A server's parts with issues on stand-ins of forges, driven by the real clients."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from fakes import FLAGS, FakeClock, FakeRepository, definitions_in
from flagstaff.commands.access_model import AddPerson, LinkForge
from flagstaff.commands.model import ImportRollout
from flagstaff.definitions import Project
from flagstaff.definitions.forges import Forge, ForgeKind
from flagstaff.engine.loop import Engine
from flagstaff.integrations.forge.clients import Forges
from flagstaff.integrations.forge.effects import IssueEffects
from flagstaff.integrations.forge.following import IssueFollower
from flagstaff.integrations.world import World
from flagstaff.services import running
from flagstaff.services.person import ADMIN_EVERYWHERE, ENGINE, Person, Source
from flagstaff.services.services import Services
from flagstaff.services.unit import Context
from flagstaff.store.database import Database
from github_standin import GitHubStandIn
from gitlab_standin import GitLabStandIn

PROJECT = "acme/shop"
ADA = Person(name="ada", source=Source.API, roles=ADMIN_EVERYWHERE, account="", owner=True)
ISSUE = """\
## Rollout Steps

### Non-production

- [ ] `/chatops run feature set new_navigation true --dev --staging`
- [ ] Verify that the menu opens.

### Global rollout

- [ ] Make sure that the documentation is up to date.
- [ ] Ask the design team.
- [ ] `/chatops run feature set new_navigation true`
- [ ] Close the feature issue.
- [ ] Close this rollout issue.

## Rollback Steps

- [ ] `/chatops run feature set new_navigation false`
"""
TITLE = "[Feature flag] Enable `new_navigation`"


@dataclass
class Lab:
    """Everything at a test's command; `tick` does what the threads of a server do."""

    forge: Any
    settings: Forge
    services: Any
    clock: Any
    forges: Any
    has_owner: bool = False
    leads: bool = True
    engine: Any = field(init=False)
    follower: Any = field(init=False)

    def __post_init__(self):
        self.restart()

    def restart(self):
        """Forget everything that a process remembers."""
        if self.forges is not None:
            self.forges.close()
        root = self.services.context.root
        self.forges = Forges(root, (self.settings,), {"TOKEN": "bot-token", "SECRET": "s3cret"})
        self.services.context = replace(self.services.context, issues=self.forges)
        effects = IssueEffects(self.forges, self.services)
        world = World(root, self.services.context.project, issues=effects)
        self.engine = Engine(self.services, world)
        self.follower = IssueFollower(
            self.services, self.forges, may=lambda: self.leads, first_pause=0.0
        )
        self.services.listen(self.follower._hear_names)

    def tick(self, times=2):
        for _ in range(times):
            self.engine.tick()
            self.clock.advance(seconds=1)
            while self.follower._heard:
                heard = self.follower._heard.popleft()
                self.follower._guarded(
                    self.settings, "a webhook", lambda heard=heard: self.follower._take(heard)
                )
            with self.follower._complaining():
                self.follower._look()

    def execute(self, command, by=ADA):
        return self.services.execute(command, by)

    def rollout(self, number):
        return self.services.ask(lambda unit: running.find(unit, number), ENGINE).rollout

    def record(self, number):
        return self.services.ask(lambda unit: running.find(unit, number), ENGINE)

    def at(self, number):
        step = self.rollout(number).current
        return step.id if step else None

    def link(self, name, role="operator"):
        if not self.has_owner:
            self.execute(AddPerson(name="root", roles=("admin",)))
            self.has_owner = True
        self.execute(AddPerson(name=name, roles=(role,)))
        self.execute(LinkForge(user=name, person=name))

    def text(self, number=1):
        issue = self.forge.issue(PROJECT, number)
        return issue["description" if self.settings.kind is ForgeKind.GITLAB else "body"]

    def labels(self, number=1):
        found = self.forge.issue(PROJECT, number)["labels"]
        return {each if isinstance(each, str) else each["name"] for each in found}

    def is_closed(self, number=1):
        return self.forge.issue(PROJECT, number)["state"] == "closed"

    def client(self):
        return self.forges.client(self.settings)


def lab_of(kind, standin, tmp_path):
    forge = Forge(
        name=kind.value,
        kind=kind,
        url=standin.url,
        project=PROJECT,
        token_env="TOKEN",
        webhook_secret_env="SECRET",
        poll=timedelta(0),
    )
    definitions = definitions_in(tmp_path)
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.migrate()
    context = Context(
        root=tmp_path,
        project=Project(environments=("dev", "staging", "production"), forges=(forge,)),
        definitions=lambda: definitions,
        repository=FakeRepository(),
        address=lambda: "https://flags.example.com",
    )
    clock = FakeClock()
    services = Services(database, context, clock)
    assert FLAGS
    return Lab(forge=standin, settings=forge, services=services, clock=clock, forges=None), database


@pytest.fixture
def gitlab_lab(tmp_path):
    standin = GitLabStandIn(PROJECT)
    lab, database = lab_of(ForgeKind.GITLAB, standin, tmp_path)
    yield lab
    lab.forges.close()
    standin.close()
    database.close()


@pytest.fixture
def github_lab(tmp_path):
    standin = GitHubStandIn(PROJECT)
    lab, database = lab_of(ForgeKind.GITHUB, standin, tmp_path)
    yield lab
    lab.forges.close()
    standin.close()
    database.close()


@pytest.fixture(params=["gitlab", "github"])
def lab(request):
    return request.getfixturevalue(f"{request.param}_lab")


@pytest.fixture
def begun(lab):
    """A rollout of an issue that a person has written, started, at its first question."""
    lab.forge.open_issue(PROJECT, TITLE, ISSUE)
    url = lab.settings.issue_url(PROJECT, 1)
    number = lab.execute(ImportRollout(issue=url, start=True)).data["rollout"]
    lab.tick(3)
    assert lab.at(number) == "verify-menu-opens"
    return number
