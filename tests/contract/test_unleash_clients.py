"""Unleash's own clients answer as our SDK does, as far as they can express it."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from npm_packages import npm_folder, run_node
from python_packages import python_with, run_python
from real_server import define, run_server

import flagstaff
from flagstaff.flags.change import (
    Actors,
    Boolean,
    Expression,
    PercentageOfActors,
    PercentageOfTime,
)

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

HOWTO = Path(__file__).parents[2] / "docs/howto/unleash-clients.md"
ACTORS = [f"User:{number}" for number in range(120)]
MANY = [f"User:{number}" for number in range(1_000)]
SHARES = {
    f"moved_{number}": share
    for number, share in enumerate(("0.5", "1", "12.5", "25", "50", "99", "99.9", "100"))
}
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
const { url, headers, flags, actors, appName, properties } = JSON.parse(process.argv[2]);
import { startUnleash } from 'unleash-client';
const client = await startUnleash({
  url, appName: appName ?? 'tests', customHeaders: headers, strategies, disableMetrics: true,
});
const answers = {};
for (const flag of flags) {
  answers[flag] = {};
  for (const userId of actors) {
    answers[flag][userId] = client.isEnabled(flag, { userId, properties });
  }
}
client.destroy();
console.log(JSON.stringify(answers));
process.exit(0);
"""
VARIANTS = FRONTEND.replace(
    "for (const flag of flags) (answers[flag] ??= {})[userId] = client.isEnabled(flag);",
    "const variant = client.getVariant('button');\n"
    "  answers[userId] = [variant.name, variant.payload.value];",
)
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
properties = given.get("properties", {})
answers = {
    flag: {
        user: client.is_enabled(flag, {"userId": user, "properties": properties})
        for user in given["actors"]
    }
    for flag in given["flags"]
}
client.destroy()
print(json.dumps(answers))
"""


def snippet(language):
    return re.search(rf"```{language}\n(.*?)```", HOWTO.read_text(), re.DOTALL)[1]


@pytest.fixture(scope="module")
def server(place):
    return place


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    (root / "flagstaff.yml").write_text(
        "environments: [dev, production]\npolicies: {allow_random: true}\n"
    )
    for name in ("new_navigation", "dark_mode", "new_search"):
        define(root, name)
    define(root, "old_search", default=True)
    define(root, "button", "variants: [{name: blue, payload: {hex: b}}, {name: red, payload: 7}]\n")
    define(root, "needs_search", "prerequisites: [{flag: new_search}]\n")
    define(root, "needs_none", "prerequisites: [{flag: new_search, value: false}]\n")
    for name in SHARES:
        define(root, name, "bucketing: murmur3\n")
    yield from run_server(root)


@pytest.fixture(autouse=True)
def _nothing_set(server):
    yield
    for environment in ("production", "dev"):
        for name in (*NAMES, *SHARES, "button", "needs_search", "needs_none"):
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
def sdk(server):
    def asked(*names, actors=ACTORS):
        client = flagstaff.Client.connect(
            server.url, environment="production", token=server.token, cache=None
        )
        answers = {name: {each: client.is_enabled(name, each) for each in actors} for name in names}
        client.close()
        return answers

    return asked


@pytest.fixture
def expected(server, sdk):
    """Set flags in every way that can be expressed, and return our SDK's answers."""
    server.set("new_navigation", PercentageOfActors(value=Decimal("37.5")))
    server.set("new_navigation", Actors(ids=("User:3", "User:5:opt_out"), value=True))
    server.set("dark_mode", Actors(ids=("User:1", "User:a,b"), value=True))
    server.set("new_search", Boolean(value=True))
    server.set("new_search", Actors(ids=("User:7:opt_out",), value=True))
    answers = sdk(*NAMES)
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


def test_murmur3_is_exact_without_any_help(server, sdk, python, node):
    for name, share in SHARES.items():
        server.set(name, PercentageOfActors(value=Decimal(share)))
    expected = sdk(*SHARES, actors=MANY)
    opened = [sum(each.values()) for each in expected.values()]
    assert opened == sorted(opened)
    assert (opened[0], opened[-1], len(set(opened)) > 4) == (0, len(MANY), True)
    given = {
        "url": f"{server.url}/api",
        "headers": {"Authorization": server.token},
        "flags": sorted(SHARES),
        "actors": MANY,
        "strategies": False,
    }
    assert python(**given) == expected
    assert node(**given) == expected
    at_gitlab = {"url": f"{server.url}/api/v4/feature_flags/unleash/42", "headers": {}}
    named = {"instance": server.token, "appName": "production"}
    assert python(**{**given, **at_gitlab, **named}) == expected
    frontend = {"url": server.url, "token": server.token, "flags": sorted(SHARES), "actors": MANY}
    assert run_node(npm_folder("unleash-proxy-client@3.8.2"), FRONTEND, frontend) == expected


def test_expressions_that_compare_texts(server, python, node):
    equal = {"Equal": [{"Property": ["plan"]}, "gold"]}
    other = {"NotEqual": [{"Property": ["country"]}, "CA"]}
    server.set("dark_mode", Expression(value={"Any": [equal, {"All": [other, equal]}]}))
    server.set("new_search", Expression(value={"All": [equal, other]}))
    server.set("new_navigation", Expression(value=other))
    client = flagstaff.Client.connect(
        server.url, environment="production", token=server.token, cache=None
    )
    given = {"url": f"{server.url}/api", "headers": {"Authorization": server.token}}
    seen = set()
    for properties in (
        {},
        {"plan": "gold"},
        {"plan": "free", "country": "CA"},
        {"plan": "gold", "country": "CA"},
    ):
        actor = flagstaff.Actor("User:1", properties)
        expected = {name: {"User:1": client.is_enabled(name, actor)} for name in NAMES}
        assert python(actors=["User:1"], properties=properties, **given) == expected
        assert node(actors=["User:1"], properties=properties, **given) == expected
        seen.add(str(expected))
    client.close()
    assert len(seen) == 4


def test_prerequisites(server, sdk, python, node):
    server.set("new_search", Actors(ids=("User:1", "User:2"), value=True))
    server.set("needs_search", Boolean(value=True))
    server.set("needs_none", Boolean(value=True))
    expected = sdk("needs_search", "needs_none")
    assert expected["needs_search"]["User:1"] is expected["needs_none"]["User:3"] is True
    assert expected["needs_search"]["User:3"] is expected["needs_none"]["User:1"] is False
    given = {"url": f"{server.url}/api", "headers": {"Authorization": server.token}}
    assert python(flags=sorted(expected), **given) == expected
    assert node(flags=sorted(expected), **given) == expected


def test_variants_reach_frontends(server):
    server.set("button", Boolean(value=True))
    client = flagstaff.Client.connect(
        server.url, environment="production", token=server.token, cache=None
    )
    actors = ACTORS[:12]
    expected = {
        each: [client.variant("button", each), client.payload("button", each)] for each in actors
    }
    client.close()
    given = {"url": server.url, "token": server.token, "flags": ["button"], "actors": actors}
    found = run_node(npm_folder("unleash-proxy-client@3.8.2"), VARIANTS, given)
    assert {each: [name, json.loads(text)] for each, (name, text) in found.items()} == expected
    assert len({name for name, _ in found.values()}) == 2
