"""Flipper's HTTP API: shapes, gates, import and errors."""

from __future__ import annotations

import base64
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagstaff.errors import Refused
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.server.compat.flipper_import import changes_between
from flagstaff.server.compat.flipper_json import feature_json
from flagstaff.services import setting

API = "/flipper/api"
ONE = f"{API}/features/new_navigation"
GOLD = {"Equal": [{"Property": ["plan"]}, "gold"]}
NAMES = {
    "boolean": "boolean",
    "expression": "expression",
    "actors": "actor",
    "percentage_of_actors": "percentage_of_actors",
    "percentage_of_time": "percentage_of_time",
    "groups": "group",
}


@pytest.fixture
def root(root):
    """Return a project without a staging, for whose sake production would have to wait."""
    (root / "flagstaff.yml").write_text(
        "environments: [dev, production]\npolicies: {allow_random: true}\n"
    )
    return root


def values_of(answer):
    assert answer.status_code == 200, answer.text
    return {gate["key"]: gate["value"] for gate in answer.json()["gates"]}


def test_a_feature(client):
    assert client.get(ONE).json() == {
        "key": "new_navigation",
        "state": "off",
        "gates": [
            {"key": key, "value": [] if key in {"actors", "groups"} else None, "name": name}
            for key, name in NAMES.items()
        ],
    }
    assert client.get(ONE, params={"exclude_gates": "true"}).json() == {
        "key": "new_navigation",
        "state": "off",
    }
    answer = client.get(f"{API}/features/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, 1)
    assert answer.json()["message"] == "Feature not found."


def test_features_and_not_modified(client):
    params = {"exclude_gate_names": "true"}
    answer = client.get(f"{API}/features", params=params)
    (feature,) = answer.json()["features"]
    assert all(gate.keys() == {"key", "value"} for gate in feature["gates"])
    again = {"if-none-match": answer.headers["etag"]}
    assert client.get(f"{API}/features", params=params, headers=again).status_code == 304
    client.post(f"{ONE}/boolean")
    assert client.get(f"{API}/features", params=params, headers=again).status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("keys=new_navigation,nowhere", 1),
        ("keys=", 0),
        ("keys[]=new_navigation", 1),
        ("keys=nowhere", 0),
        ("", 1),
    ],
)
def test_features_by_name(client, query, found):
    assert len(client.get(f"{API}/features?{query}").json()["features"]) == found


@pytest.mark.parametrize(
    ("gate", "body", "key", "value", "without"),
    [
        ("boolean", {}, "boolean", "true", None),
        ("expression", GOLD, "expression", GOLD, None),
        ("actors", {"flipper_id": "User:1"}, "actors", ["User:1"], []),
        ("groups", {"name": "a", "allow_unregistered_groups": "true"}, "groups", ["a"], []),
        (
            "percentage_of_actors",
            {"percentage": "12.5"},
            "percentage_of_actors",
            "12.5",
            None,
        ),
        ("percentage_of_time", {"percentage": 5}, "percentage_of_time", "5", None),
    ],
)
def test_gates_open_and_close(client, gate, body, key, value, without):
    url = f"{ONE}/{gate}"
    assert values_of(client.post(url, json=body))[key] == value
    assert values_of(client.get(ONE))[key] == value
    assert values_of(client.request("DELETE", url, json=body))[key] == without


def test_parameters_may_be_a_form_or_in_the_query(client):
    assert values_of(client.post(f"{ONE}/actors", data={"flipper_id": "a"}))["actors"] == ["a"]
    answer = client.post(f"{ONE}/groups?allow_unregistered_groups=true", json={"name": "g"})
    assert values_of(answer)["groups"] == ["g"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "features/new_navigation/actors", {}, 422, 4),
        ("DELETE", "features/new_navigation/actors", {}, 422, 4),
        ("POST", "features/new_navigation/groups", {}, 422, 5),
        ("POST", "features/new_navigation/groups", {"name": "a"}, 404, 2),
        ("POST", "features/new_navigation/percentage_of_actors", {"percentage": "101"}, 422, 3),
        ("POST", "features/new_navigation/percentage_of_time", {"percentage": "x"}, 422, 3),
        ("POST", "features/new_navigation/percentage_of_time", {}, 422, 3),
        ("POST", "features/new_navigation/expression", {"Else": [1, 1]}, 422, 7),
        ("POST", "features/new_navigation/expression", {}, 422, 7),
        ("POST", "features/new_navigation/expression", [], 422, 7),
        ("POST", "features", {}, 422, 5),
        ("POST", "features", {"name": "nowhere"}, 404, 1),
        ("POST", "features/nowhere/boolean", {}, 404, 1),
        ("POST", "features/new_navigation/else", {}, 404, 0),
        ("PUT", "features/new_navigation", {}, 405, 0),
        ("GET", "nowhere", {}, 404, 0),
    ],
)
def test_errors_have_the_protocols_numbers(client, method, path, body, status, code):
    answer = client.request(method, f"{API}/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json().keys() == {"code", "message", "more_info"}


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff"])
def test_a_malformed_body(client, body):
    headers = {"content-type": "application/json"}
    answer = client.post(f"{ONE}/actors", content=body, headers=headers)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["message"]


def test_adding_clearing_and_removing(client):
    assert client.post(f"{API}/features", json={"name": "new_navigation"}).status_code == 200
    client.post(f"{ONE}/actors", json={"flipper_id": "User:1"})
    assert client.delete(f"{ONE}/clear").status_code == 204
    assert client.get(ONE).json()["state"] == "off"
    assert len(client.get("/api/v4/features").json()) == 1
    assert client.delete(ONE).status_code == 204
    assert client.get("/api/v4/features").json() == []
    assert client.delete(f"{API}/features/nowhere").status_code == 204


def test_what_an_actor_gets(client):
    client.post(f"{ONE}/actors", json={"flipper_id": "User:1"})
    assert client.get(f"{API}/actors/User:1").json() == {
        "flipper_id": "User:1",
        "features": {"new_navigation": {"enabled": True}},
    }
    answer = client.get(f"{API}/actors/User:2", params={"keys": "new_navigation,nowhere"})
    assert answer.json()["features"] == {
        "new_navigation": {"enabled": False},
        "nowhere": {"enabled": False},
    }


def test_an_import_replaces_everything(client):
    gates = {
        "expression": GOLD,
        "actors": ["User:1"],
        "groups": [],
        "percentage_of_actors": "25",
        "boolean": None,
    }
    export = {"version": 1, "features": {"new_navigation": gates}}
    assert client.post(f"{API}/import", json=export).status_code == 204
    assert client.get(ONE).json()["state"] == "conditional"
    assert values_of(client.get(ONE))["percentage_of_actors"] == "25"
    assert values_of(client.get(ONE))["expression"] == GOLD
    before = client.get("/api/v1/audit").json()
    assert client.post(f"{API}/import", json=export).status_code == 204
    assert client.get("/api/v1/audit").json() == before
    assert client.post(f"{API}/import", json={"version": 1, "features": {}}).status_code == 204
    assert client.get("/api/v4/features").json() == []


def test_an_import_is_seen_whole_or_not_at_all(application, client, monkeypatch):
    heard = []
    application.services.listen(heard.append)
    gates = {"actors": ["User:1"], "groups": ["staff"], "percentage_of_actors": "25"}
    export = {"version": 1, "features": {"new_navigation": gates}}
    real, calls = setting.change_gates, []

    def failing(unit, place, change):
        calls.append(change)
        if len(calls) == 2:
            raise Refused("not this one")
        return real(unit, place, change)

    monkeypatch.setattr(setting, "change_gates", failing)
    assert client.post(f"{API}/import", json=export).status_code == 403
    assert len(calls) == 2
    assert client.get(ONE).json()["state"] == "off"
    assert client.get("/api/v1/audit").json() == []
    assert heard == []
    assert client.post(f"{API}/import", json=export).status_code == 204
    assert len(heard) == 1
    assert client.get(ONE).json()["state"] == "conditional"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "no export of version 1"),
        ({"version": 2}, "no export of version 1"),
        ({"version": 1}, "no features"),
        ({"version": 1, "features": {"x": 1}}, "x has no gates"),
        ({"version": 1, "features": {"x": {"actors": "a"}}}, "not texts"),
        ({"version": 1, "features": {"x": {"actors": [1]}}}, "not texts"),
        ({"version": 1, "features": {"x": {"percentage_of_time": "101"}}}, "above 100"),
        ({"version": 1, "features": {"x": {"expression": {"Any": []}}}}, "expression"),
        ({"version": 1, "features": {"x": {"expression": [1]}}}, "expression"),
        ({"version": 1, "features": {"nowhere": {"boolean": "true"}}}, "not defined: nowhere"),
    ],
)
def test_an_import_that_is_none(client, body, text):
    client.post(f"{ONE}/boolean")
    answer = client.post(f"{API}/import", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, 6)
    assert text in answer.json()["message"]
    assert client.get(ONE).json()["state"] == "on"


def test_tokens(client, application):
    token = application.token
    basic = base64.b64encode(f"anyone:{token}".encode()).decode()
    for shown, status in (
        ("", 401),
        ("Bearer wrong", 401),
        ("Basic !", 401),
        ("Basic /w==", 401),
        (f"Basic {base64.b64encode(b'a:b').decode()}", 401),
        (f"Basic {basic}", 200),
        (f"Bearer {token}", 200),
    ):
        client.headers["authorization"] = shown
        assert client.get(f"{API}/features").status_code == status


def test_environments(client):
    client.post(f"/environments/dev{ONE}/boolean")
    assert client.get(ONE, headers={"x-flagstaff-environment": "dev"}).json()["state"] == "on"
    assert client.get(ONE).json()["state"] == "off"
    assert client.get(ONE, headers={"x-flagstaff-environment": "moon"}).status_code == 400


def test_a_refusal_reaches_the_asker_with_the_way_around_it(application, client, monkeypatch):
    def refuse(_commands, _by):
        raise Refused("not today", hint="wait for Monday")

    monkeypatch.setattr(application.services, "execute_all", refuse)
    answer = client.post(f"{ONE}/boolean")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": 0,
        "message": "not today",
        "more_info": "wait for Monday; here, name it in X-Flagstaff-Override and say why in "
        "X-Flagstaff-Reason",
    }


@pytest.mark.parametrize(
    "flag",
    [
        Flag(name="x", gates=Gates(boolean=True), prerequisites=(("y", True),)),
        Flag(
            name="x",
            gates=Gates(percentage_of_actors=Decimal(50)),
            bucketing=Bucketing.MURMUR3,
        ),
    ],
)
def test_what_flipper_would_answer_otherwise_stays_closed(flag):
    values = [gate["value"] for gate in feature_json(flag)["gates"]]
    assert values == [None, None, [], None, None, []]


percentages = st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(25), Decimal(100)])
members = st.frozensets(st.sampled_from(["a", "b", "c"]))
expressions = st.sampled_from([None, GOLD, {"Equal": [1, 1]}])
closed = st.builds(
    Gates,
    expression=expressions,
    actors=members,
    groups=members,
    percentage_of_actors=percentages,
    percentage_of_time=percentages,
)
opened = st.builds(
    Gates, boolean=st.just(True), expression=expressions, actors=members, groups=members
)
odd = st.builds(
    Gates,
    boolean=st.booleans(),
    actors=members,
    percentage_of_actors=percentages,
    expression=expressions,
)


@given(before=st.none() | closed | opened | odd, after=closed | opened)
def test_an_import_arrives_at_its_gates_from_anywhere(before, after):
    gates = before or Gates()
    for change in changes_between(before, after):
        gates = change.apply(gates)
    assert gates == after
