"""Unleash's own clients answer as our SDK does, as far as they can express it."""

from __future__ import annotations

import re
import threading
from decimal import Decimal
from pathlib import Path

import pytest
import uvicorn
from npm_packages import npm_folder, run_node
from python_packages import python_with, run_python

import flagstaff
from flagstaff.definitions import Project
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.change import Actors, Boolean, PercentageOfActors, PercentageOfTime
from flagstaff.flags.compile import compile_snapshot
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.server.access import Access
from flagstaff.server.compat.live import Held, surroundings
from flagstaff.server.compat.unleash import Parts, build_unleash
from flagstaff.services.telemetry import Telemetry
from flagstaff.services.unit import Context

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

HOWTO = Path(__file__).parents[2] / "docs/howto/unleash-clients.md"
ACTORS = [f"User:{number}" for number in range(120)]
NAMES = ("new_navigation", "dark_mode", "new_search", "old_search")
FRONTEND = """
import { UnleashClient } from 'unleash-proxy-client';
const { url, token, flags, actors } = JSON.parse(process.argv[2]);
const answers = {};
for (const userId of actors) {
  const client = new UnleashClient({
    url: `${url}/api/frontend`, clientKey: token, appName: 'web', context: { userId },
    disableRefresh: true, disableMetrics: true,
  });
  await client.start();
  for (const flag of flags) (answers[flag] ??= {})[userId] = client.isEnabled(flag);
  client.stop();
}
console.log(JSON.stringify(answers));
process.exit(0);
"""
NODE = """
const { url, headers, flags, actors, appName } = JSON.parse(process.argv[2]);
import { startUnleash } from 'unleash-client';
const client = await startUnleash({
  url, appName: appName ?? 'tests', customHeaders: headers, strategies, disableMetrics: true,
});
const answers = {};
for (const flag of flags) {
  answers[flag] = {};
  for (const userId of actors) answers[flag][userId] = client.isEnabled(flag, { userId });
}
client.destroy();
console.log(JSON.stringify(answers));
process.exit(0);
"""
PYTHON = """
import json
import sys

from UnleashClient import UnleashClient

given = json.loads(sys.argv[1])
client = UnleashClient(
    given["url"],
    given.get("appName", "tests"),
    instance_id=given.get("instance", "tests"),
    custom_headers=given["headers"],
    custom_strategies=strategies,
    disable_metrics=given.get("quiet", True),
    disable_registration=given.get("quiet", True),
    metrics_interval=1,
    cache_directory=given["cache"],
)
client.initialize_client()
answers = {
    flag: {user: client.is_enabled(flag, {"userId": user}) for user in given["actors"]}
    for flag in given["flags"]
}
client.destroy()
print(json.dumps(answers))
"""


def snippet(language):
    return re.search(rf"```{language}\n(.*?)```", HOWTO.read_text(), re.DOTALL)[1]


@pytest.fixture(autouse=True)
def _nothing_set(server):
    yield
    for environment in ("production", "dev"):
        for name in NAMES:
            server.forget(name, environment)


@pytest.fixture
def python(tmp_path):
    found = python_with("UnleashClient==6.9.1")

    def asked(*, strategies=True, **given):
        before = snippet("python") if strategies else "strategies = {}\n"
        given = {"cache": str(tmp_path / "unleash"), "flags": NAMES, "actors": ACTORS, **given}
        return run_python(found, before + PYTHON, given)

    return asked


@pytest.fixture
def node():
    folder = npm_folder("unleash-client@6.12.1")

    def asked(*, strategies=True, **given):
        before = snippet("javascript") if strategies else "const strategies = [];\n"
        return run_node(folder, before + NODE, {"flags": NAMES, "actors": ACTORS, **given})

    return asked


@pytest.fixture
def expected(server):
    """Set flags in every way that can be expressed, and return our SDK's answers."""
    server.set("new_navigation", PercentageOfActors(value=Decimal("37.5")))
    server.set("new_navigation", Actors(ids=("User:3", "User:5:opt_out"), value=True))
    server.set("dark_mode", Actors(ids=("User:1", "User:a,b"), value=True))
    server.set("new_search", Boolean(value=True))
    server.set("new_search", Actors(ids=("User:7:opt_out",), value=True))
    client = flagstaff.Client.connect(
        server.url, environment="production", token=server.token, cache=None
    )
    answers = {name: {each: client.is_enabled(name, each) for each in ACTORS} for name in NAMES}
    client.close()
    assert answers["new_search"]["User:7"] is False
    assert len(set(answers["new_navigation"].values())) == 2
    return answers


def test_python_answers_as_our_sdk_does(server, python, expected):
    headers = {"Authorization": server.token}
    assert python(url=f"{server.url}/api", headers=headers) == expected


def test_node_answers_as_our_sdk_does(server, node, expected):
    headers = {"Authorization": f"*:production.{server.token}"}
    assert node(url=f"{server.url}/api", headers=headers) == expected


def test_without_our_strategy_its_gate_alone_is_closed(server, python, node, expected):
    given = {"url": f"{server.url}/api", "headers": {"Authorization": server.token}}
    alone = {**expected, "new_navigation": {each: each == "User:3" for each in ACTORS}}
    assert python(strategies=False, **given) == alone
    assert node(strategies=False, **given) == alone


def test_the_frontend_client_answers_as_our_sdk_does(server, expected):
    folder = npm_folder("unleash-proxy-client@3.8.2")
    actors = ACTORS[:12]
    given = {"url": server.url, "token": server.token, "flags": NAMES, "actors": actors}
    found = run_node(folder, FRONTEND, given)
    assert found == {name: {each: expected[name][each] for each in actors} for name in NAMES}


def test_the_environment_of_the_token_and_of_the_address(server, python, node):
    server.set("dark_mode", Boolean(value=True), "dev")
    asked = {"flags": ["dark_mode"], "actors": ["User:1"]}
    on, off = {"dark_mode": {"User:1": True}}, {"dark_mode": {"User:1": False}}
    by_token = {"Authorization": f"default:dev.{server.token}"}
    assert node(url=f"{server.url}/api", headers=by_token, **asked) == on
    plain = {"Authorization": server.token}
    assert node(url=f"{server.url}/environments/dev/api", headers=plain, **asked) == on
    assert python(url=f"{server.url}/api", headers=plain, **asked) == off


def test_clients_set_up_for_gitlab(server, python):
    server.set("dark_mode", Boolean(value=True), "dev")
    asked = {
        "url": f"{server.url}/api/v4/feature_flags/unleash/42",
        "headers": {},
        "instance": server.token,
        "flags": ["dark_mode"],
        "actors": ["User:1"],
    }
    for name, value in (("dev", True), ("production", False), ("review/topic", False)):
        assert python(**asked, appName=name) == {"dark_mode": {"User:1": value}}


def test_a_share_of_checks_draws_anew(server, python):
    server.set("dark_mode", PercentageOfTime(value=Decimal(50)))
    many = [f"User:{number}" for number in range(400)]
    found = python(
        url=f"{server.url}/api",
        headers={"Authorization": server.token},
        flags=["dark_mode"],
        actors=many,
    )
    assert 120 < sum(found["dark_mode"].values()) < 280


def test_murmur3_is_exact_without_any_help(python, node):
    shares = ("0.5", "1", "12.5", "25", "50", "99", "99.9", "100")
    flags = {
        f"moved_{number}": Flag(
            name=f"moved_{number}",
            gates=Gates(percentage_of_actors=Decimal(share)),
            bucketing=Bucketing.MURMUR3,
        )
        for number, share in enumerate(shares)
    }
    with Moved(flags) as moved:
        given = {
            "url": moved.url,
            "headers": {"Authorization": "secret"},
            "flags": sorted(flags),
            "strategies": False,
        }
        expected = moved.answers(ACTORS)
        assert python(**given) == expected
        assert node(**given) == expected


class Moved:
    """Serves flags that came from Unleash."""

    def __init__(self, flags):
        snapshot = Snapshot(environment="production", version=1, flags=flags)
        self.held = Held(etag='"1"', compiled=compile_snapshot(snapshot, surroundings()))
        context = Context(root=Path(), project=Project(), definitions=dict, repository=None)
        parts = Parts(context=context, held=self, telemetry=Telemetry(), clock=None)
        config = uvicorn.Config(
            build_unleash(parts, Access("secret")), port=0, log_level="error", lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    async def of(self, _environment):
        return self.held

    def answers(self, actors):
        flags = self.held.compiled.flags
        return {
            name: {each: flag.value(flag.decide((each,))) for each in actors}
            for name, flag in flags.items()
        }

    def __enter__(self):
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
            threading.Event().wait(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(30)
