"""OpenFeature's own OFREP providers get our SDK's answers from a server of ours."""

from __future__ import annotations

from decimal import Decimal

import pytest
from npm_packages import npm_folder, run_node
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, InvalidContextError, OpenFeatureError

import flagstaff
from flagstaff.flags.change import Actors, Boolean, PercentageOfActors

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

ACTORS = [f"User:{number}" for number in range(60)]
SERVER_SIDE = """
import { OpenFeature } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';
const { url, token, actors } = JSON.parse(process.argv[2]);
const headers = { Authorization: `Bearer ${token}` };
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: url, headers }));
const client = OpenFeature.getClient();
const answers = {};
for (const targetingKey of actors) {
  answers[targetingKey] = await client.getBooleanValue('new_navigation', false, { targetingKey });
}
const on = await client.getBooleanDetails('old_search', false);
const off = await client.getBooleanDetails('dark_mode', true);
const unknown = await client.getBooleanDetails('nowhere', true);
console.log(JSON.stringify({ answers, on, off, unknown }));
"""
WEB = """
import { EventSource } from 'eventsource';
globalThis.EventSource = EventSource;
const { OpenFeature, ProviderEvents } = await import('@openfeature/web-sdk');
const { OFREPWebProvider } = await import('@openfeature/ofrep-web-provider');
const { url, token, api } = JSON.parse(process.argv[2]);
const headers = { Authorization: `Bearer ${token}` };
const statuses = [];
const fetching = globalThis.fetch;
globalThis.fetch = async (...asked) => {
  const answer = await fetching(...asked);
  if (String(asked[0]?.url ?? asked[0]).includes('/ofrep/')) statuses.push(answer.status);
  return answer;
};
await OpenFeature.setContext({ targetingKey: 'User:7' });
const provider = new OFREPWebProvider({
  baseUrl: url, headers: Object.entries(headers), pollInterval: -1,
});
await OpenFeature.setProviderAndWait(provider);
const client = OpenFeature.getClient();
const before = client.getBooleanDetails('new_search', true);
const changed = new Promise((resolve) => {
  client.addHandler(ProviderEvents.ConfigurationChanged, () => {
    if (client.getBooleanValue('new_search', false)) resolve();
  });
});
while (!statuses.includes(304)) await new Promise((resolve) => setTimeout(resolve, 20));
await fetching(`${api}/api/v4/features/new_search`, {
  method: 'POST',
  headers: { ...headers, 'content-type': 'application/json' },
  body: JSON.stringify({ value: true, user: '7' }),
});
await changed;
const after = client.getBooleanDetails('new_search', false);
console.log(JSON.stringify({ before, after, statuses }));
process.exit(0);
"""


def provider(server, path=""):
    return OFREPProvider(
        server.url + path, headers_factory=lambda: {"Authorization": f"Bearer {server.token}"}
    )


@pytest.fixture(scope="module")
def server(place):
    return place


@pytest.fixture(autouse=True)
def _nothing_set(server):
    yield
    for name in ("new_navigation", "dark_mode", "new_search"):
        server.forget(name)


@pytest.fixture
def sdk(server, tmp_path, monkeypatch):
    monkeypatch.setenv("FLAGSTAFF_CACHE_DIR", str(tmp_path))
    server.set("new_navigation", PercentageOfActors(value=Decimal("37.5")))
    server.set("new_navigation", Actors(ids=("User:3", "User:5:opt_out"), value=True))
    client = flagstaff.Client.connect(server.url, environment="production", token=server.token)
    yield client
    client.close()


def test_python_and_node_answer_as_our_sdk_does(server, sdk):
    expected = {each: sdk.is_enabled("new_navigation", each) for each in ACTORS}
    assert len(set(expected.values())) == 2
    asked = provider(server)
    python = {
        each: asked.resolve_boolean_details("new_navigation", False, EvaluationContext(each)).value
        for each in ACTORS
    }
    assert python == expected
    server.set("dark_mode", Boolean(value=False))
    folder = npm_folder(
        "@openfeature/core@1.12.0",
        "@openfeature/server-sdk@1.23.0",
        "@openfeature/ofrep-provider@0.1.3",
    )
    found = run_node(
        folder, SERVER_SIDE, {"url": server.url, "token": server.token, "actors": ACTORS}
    )
    assert found["answers"] == expected
    assert (found["on"]["value"], found["on"]["reason"]) == (True, "STATIC")
    assert (found["off"]["value"], found["off"]["reason"]) == (False, "DISABLED")
    assert (found["unknown"]["value"], found["unknown"]["errorCode"]) == (True, "FLAG_NOT_FOUND")


def test_an_answer_carries_why(server, sdk):
    details = provider(server).resolve_boolean_details(
        "new_navigation", False, EvaluationContext("User:3")
    )
    assert (details.reason, details.variant) == ("TARGETING_MATCH", "on")
    assert details.flag_metadata["gate"] == "actors"
    assert details.flag_metadata["version"] == sdk.readiness().version


def test_variants_have_values_and_off_has_the_callers(server):
    asked, default = provider(server), {"hex": "#000"}
    details = asked.resolve_object_details("button", default, EvaluationContext("User:1"))
    assert (details.value, details.reason) == (default, "STATIC")
    server.set("button", Boolean(value=True))
    client = flagstaff.Client.connect(
        server.url, environment="production", token=server.token, cache=None
    )
    variants = set()
    for each in ACTORS[:20]:
        details = asked.resolve_object_details("button", default, EvaluationContext(each))
        assert details.variant == client.variant("button", each)
        assert details.value == client.payload("button", each)
        variants.add(details.variant)
    client.close()
    server.forget("button")
    assert variants == {"blue", "red"}


def test_another_environment_by_its_address(server):
    server.set("dark_mode", Boolean(value=True), "dev")
    try:
        asked = provider(server, "/environments/dev")
        assert asked.resolve_boolean_details("dark_mode", False).value is True
        assert provider(server).resolve_boolean_details("dark_mode", True).value is False
    finally:
        server.forget("dark_mode", "dev")


def test_what_is_wrong_is_the_right_error(server):
    with pytest.raises(FlagNotFoundError, match="there is no flag nowhere"):
        provider(server).resolve_boolean_details("nowhere", False)
    bad = EvaluationContext(attributes={"targetingKey": 7})
    with pytest.raises(InvalidContextError, match="targetingKey is not a text"):
        provider(server).resolve_boolean_details("dark_mode", False, bad)
    with pytest.raises(OpenFeatureError, match="unauthorized"):
        OFREPProvider(server.url).resolve_boolean_details("dark_mode", False)


def test_a_write_is_seen_by_the_next_question(server):
    asked = provider(server)
    for value in (True, False, True, False):
        server.set("dark_mode", Boolean(value=value))
        assert asked.resolve_boolean_details("dark_mode", not value).value is value


def test_the_web_provider_hears_of_a_change_by_its_stream(server, control):
    folder = npm_folder(
        "@openfeature/core@1.12.0",
        "@openfeature/web-sdk@1.10.0",
        "@openfeature/ofrep-web-provider@0.4.3",
        "eventsource@4.1.1",
    )
    found = run_node(folder, WEB, {"url": server.url, "token": server.token, "api": control.url})
    assert (found["before"]["value"], found["after"]["value"]) == (False, True)
    assert found["after"]["reason"] == "TARGETING_MATCH"
    assert found["statuses"][:1] == [200]
    assert 304 in found["statuses"]
