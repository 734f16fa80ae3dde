from __future__ import annotations

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from fakes import FakeWorld
from flagstaff.chatops.mattermost.app import Mattermost
from flagstaff.chatops.mattermost.buttons import MattermostButtons
from flagstaff.chatops.slack.app import SlackApp
from flagstaff.commands.access_model import AddPerson, LinkChat
from flagstaff.engine.loop import Engine
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.plan import Approve, Bake, Plan, SetGate, Step
from flagstaff.rollouts.rollout import Rollout
from flagstaff.server.app import build
from flagstaff.server.settings import Settings
from flagstaff.services import rollouts
from flagstaff.services.chat_accounts import offer
from flagstaff.services.person import ADMIN_EVERYWHERE, ENGINE, Person, Source
from flagstaff.store import rollouts as store
from slack_requests import SECRET, Http, user
from slack_standin import APP, BOT, SlackStandIn

DEFINITION = """\
name: new_navigation
type: development
default_enabled: false
group: group::integrations
milestone: "15.1"
introduced_by_url: https://example.com/1
rollout_issue_url: https://example.com/2
"""
PROJECT = """\
channels:
  production: "#production"
  team: "#g_integrations"
policies:
  consistency: false
  require_deployed: false
  production_channel: true
  four_eyes: true
"""
PLAN = Plan(
    flag="new_navigation",
    title="Roll out new_navigation",
    steps=(
        Step(id="verify", stage="Development", title="Does it work?", action=Approve()),
        Step(
            id="set-dev",
            stage="Development",
            title="Set it in dev",
            action=SetGate(environments=("dev",), change=Boolean(value=True)),
        ),
        Step(id="hold", stage="Production", title="Wait", action=Bake(duration=timedelta(hours=1))),
    ),
)


@pytest.fixture
def slack():
    standin = SlackStandIn()
    yield standin
    standin.close()


@pytest.fixture
def root(tmp_path):
    path = tmp_path / "config/feature_flags/development/new_navigation.yml"
    path.parent.mkdir(parents=True)
    path.write_text(DEFINITION)
    (tmp_path / "flagstaff.yml").write_text(PROJECT)
    for name, secret in (("bot", BOT), ("app", APP), ("signing", SECRET)):
        (tmp_path / name).write_text(f"{secret}\n")
    return tmp_path


@pytest.fixture
def settings(root, slack):
    return Settings(
        root=root,
        engine=False,
        slack_api_url=f"{slack.url}/api/",
        slack_bot_token_file=root / "bot",
        slack_signing_secret_file=root / "signing",
    )


@pytest.fixture
def patience():
    """Seconds until a chat says "on it"; a busy machine may need more than people do."""
    return 60.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch, patience):
    for app in (SlackApp, Mattermost, MattermostButtons):
        monkeypatch.setitem(app.__init__.__kwdefaults__, "patience", patience)


@pytest.fixture
def application(settings, put_tables):
    put_tables(settings.root)
    built = build(settings)
    yield built
    built.close()


@pytest.fixture
def services(application):
    return application.services


@pytest.fixture
def people(services):
    """Two people with accounts who are linked: ada is `U1`, bob `U2`; `U9` is nobody."""
    services.execute(AddPerson(name="ada", roles=("admin",)), ENGINE)
    services.execute(AddPerson(name="bob", roles=("operator",)), ENGINE)
    for name, number in (("ada", "U1"), ("bob", "U2")):
        code = offer(services, user(name, number))
        services.execute(LinkChat(code=code, person=name), ENGINE)


@pytest.fixture
def http(application, slack):
    with TestClient(application.asgi, base_url="http://localhost") as client:
        yield Http(client, slack)


@pytest.fixture
def rollout(services):
    """A rollout that bob has started and that waits for an approval."""
    record = store.RolloutRecord(
        rollout=Rollout.of(PLAN),
        issue_path="",
        issue_text="",
        readings=(),
        revision=0,
        created_at=services.clock.now(),
        created_by="bob",
    )
    bob = Person(name="bob", source=Source.WEB, roles=ADMIN_EVERYWHERE, account="bob")
    with services.unit(bob, write=True) as unit:
        record = store.add(unit.connection, record)
        rollouts.begin(unit, record)
    Engine(services, FakeWorld()).tick()
    return record.rollout.id
