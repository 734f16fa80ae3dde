"""Unleash's client and frontend API: shapes, tokens, reports and errors."""

from __future__ import annotations

from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from flagstaff.commands.model import SetFlag
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.change import Actors, Boolean, PercentageOfActors
from flagstaff.flags.compile import compile_snapshot
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.variant import Variant
from flagstaff.server.access import Access
from flagstaff.server.compat.live import Held, surroundings
from flagstaff.server.compat.unleash import Client, Frontend, Parts, build_unleash
from flagstaff.server.compat.unleash_expressions import alternatives
from flagstaff.server.compat.unleash_features import feature_json, strategies_of
from flagstaff.server.compat.unleash_frontend import toggles
from flagstaff.services.person import ENGINE
from flagstaff.services.telemetry import Telemetry

FEATURES = "/api/client/features"
GITLAB = "/api/v4/feature_flags/unleash/42"
DEFAULT = {"name": "default", "parameters": {}}
MURMUR3 = Bucketing.MURMUR3


@pytest.fixture
def root(root):
    """Return a project without a staging, for whose sake production would have to wait."""
    (root / "flagstaff.yml").write_text(
        "environments: [dev, production]\ndeployment_environments: {canary: production}\n"
    )
    return root


@pytest.fixture
def change(application):
    def changing(change, environment="production"):
        command = SetFlag(flag="new_navigation", environments=(environment,), change=change)
        application.services.execute(command, ENGINE)

    return changing


def flag(bucketing=Bucketing.CRC32, **gates):
    return Flag(name="x", gates=Gates(**gates), bucketing=bucketing)


def rollout(share):
    parameters = {"rollout": share, "stickiness": "userId", "groupId": "x"}
    return {"name": "flexibleRollout", "parameters": parameters}


@pytest.mark.parametrize(
    ("given", "strategies"),
    [
        (Flag(name="x"), [DEFAULT]),
        (flag(), []),
        (flag(boolean=True), [DEFAULT]),
        (
            flag(actors=frozenset({"User:2", "User:1"})),
            [{"name": "userWithId", "parameters": {"userIds": "User:1,User:2"}}],
        ),
        (
            flag(actors=frozenset({"a,b"})),
            [
                DEFAULT
                | {"constraints": [{"contextName": "userId", "operator": "IN", "values": ["a,b"]}]}
            ],
        ),
        (flag(percentage_of_actors=Decimal(100)), [rollout("100")]),
        (flag(MURMUR3, percentage_of_actors=Decimal("25.7")), [rollout("25")]),
        (flag(MURMUR3, percentage_of_actors=Decimal("0.7")), []),
        (
            flag(percentage_of_actors=Decimal("25.7")),
            [
                {
                    "name": "flagstaffActors",
                    "parameters": {"percentage": "25.7", "groupId": "x"},
                }
            ],
        ),
        (
            flag(percentage_of_time=Decimal("33.3")),
            [
                {
                    "name": "gradualRolloutRandom",
                    "parameters": {"percentage": "33", "groupId": "x"},
                }
            ],
        ),
        (flag(percentage_of_time=Decimal("0.5")), []),
        (flag(percentage_of_time=Decimal(100)), [DEFAULT]),
        (
            flag(groups=frozenset({"b", "a"})),
            [{"name": "flagstaffGroups", "parameters": {"groups": '["a", "b"]'}}],
        ),
    ],
)
def test_gates_as_strategies(given, strategies):
    assert strategies_of(given) == strategies


def test_opt_outs_hold_against_every_strategy():
    found = strategies_of(
        flag(actors=frozenset({"a,b", "User:1:opt_out"}), percentage_of_actors=Decimal(100))
    )
    but = {"contextName": "userId", "operator": "NOT_IN", "values": ["User:1"]}
    assert [each["constraints"][-1] for each in found] == [but, but]
    assert len(found[0]["constraints"]) == 2


@pytest.mark.parametrize(
    ("given", "enabled"),
    [
        (Flag(name="x"), False),
        (Flag(name="x", default=True), True),
        (flag(), False),
        (flag(percentage_of_time=Decimal("0.5")), False),
        (flag(actors=frozenset({"User:1:opt_out"})), False),
        (flag(groups=frozenset({"a"})), True),
    ],
)
def test_a_flag_without_strategies_is_never_on_for_everybody(given, enabled):
    assert feature_json(given, {})["enabled"] is enabled


def test_what_cannot_be_expressed_is_said():
    expression = {"GreaterThan": [{"Property": ["age"]}, 17]}
    found = feature_json(
        flag(percentage_of_actors=Decimal(5), groups=frozenset({"a"}), expression=expression), {}
    )
    assert found["description"] == (
        "its share of actors is picked by crc32: clients without the strategy flagstaffActors "
        "answer off there; it has groups: clients without the strategy flagstaffGroups answer off "
        "there; it has an expression beyond comparing texts: clients without the strategy "
        "flagstaffExpression answer off there"
    )
    assert feature_json(flag(boolean=True), {})["description"] == ""


def comparing(operator, name, value):
    return {"contextName": name, "operator": operator, "values": [value]}


PLAN, GOLD = {"Property": ["plan"]}, comparing("IN", "plan", "gold")


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ({"Equal": [PLAN, "gold"]}, [[GOLD]]),
        ({"Equal": [{"Property": "plan"}, "gold"]}, [[GOLD]]),
        ({"NotEqual": [PLAN, "gold"]}, [[comparing("NOT_IN", "plan", "gold")]]),
        ({"Equal": [{"Property": ["flipper_id"]}, "a"]}, [[comparing("IN", "userId", "a")]]),
        (
            {"All": [{"Equal": [PLAN, "gold"]}, {"NotEqual": [{"Property": ["x"]}, "y"]}]},
            [[GOLD, comparing("NOT_IN", "x", "y")]],
        ),
        (
            {"Any": [{"Equal": [PLAN, "gold"]}, {"All": [{"Equal": [PLAN, "gold"]}]}]},
            [[GOLD], [GOLD]],
        ),
        ({"Any": [{"Equal": [PLAN, "gold"]}, {"Equal": [PLAN, 1]}]}, None),
        ({"All": [{"Equal": [PLAN, "gold"]}, {"Any": [{"Equal": [PLAN, "x"]}]}]}, None),
        ({"All": []}, None),
        ({"Equal": [{"Property": ["userId"]}, "a"]}, None),
        ({"Equal": ["gold", PLAN]}, None),
        ({"Equal": [PLAN, True]}, None),
        ({"Equal": [PLAN, ""]}, None),
        ({"Equal": [PLAN, "gold "]}, None),
        ({"Boolean": True}, None),
    ],
)
def test_expressions_that_compare_texts_are_constraints(expression, found):
    assert alternatives(expression) == found


def test_an_expression_opens_beside_the_other_gates():
    strategies = strategies_of(
        flag(expression={"Equal": [PLAN, "gold"]}, actors=frozenset({"a", "b:opt_out"}))
    )
    but = {"contextName": "userId", "operator": "NOT_IN", "values": ["b"]}
    assert [each["name"] for each in strategies] == ["default", "userWithId"]
    assert [each["constraints"] for each in strategies] == [[GOLD, but], [but]]


def test_prerequisites_reach_one_level_deep():
    one = Flag(name="one", gates=Gates(boolean=True))
    two = Flag(name="two", gates=Gates(boolean=True), prerequisites=(("one", True),))
    three = Flag(name="three", gates=Gates(boolean=True), prerequisites=(("two", False),))
    flags = {each.name: each for each in (one, two, three)}
    assert feature_json(two, flags)["dependencies"] == [{"feature": "one", "enabled": True}]
    assert feature_json(two, flags)["enabled"] is True
    assert feature_json(three, flags)["enabled"] is False
    assert "two has prerequisites itself" in feature_json(three, flags)["description"]


def test_a_prerequisite_that_must_be_off_is_one_that_clients_can_evaluate():
    share = Flag(name="share", gates=Gates(percentage_of_actors=Decimal(25)))
    for wanted, enabled in ((True, True), (False, False)):
        needs = Flag(name="x", gates=Gates(boolean=True), prerequisites=(("share", wanted),))
        assert feature_json(needs, {"share": share, "x": needs})["enabled"] is enabled
    lost = Flag(name="x", gates=Gates(boolean=True), prerequisites=(("gone", False),))
    assert feature_json(lost, {"x": lost})["enabled"] is False


def test_features_and_not_modified(client, change):
    answer = client.get(FEATURES)
    assert answer.json()["version"] == 2
    (feature,) = answer.json()["features"]
    assert (feature["name"], feature["enabled"]) == ("new_navigation", False)
    again = {"if-none-match": answer.headers["etag"]}
    unchanged = client.get(FEATURES, headers=again)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    change(Boolean(value=True))
    changed = client.get(FEATURES, headers=again)
    assert changed.json()["features"][0]["enabled"] is True
    assert client.get(f"{FEATURES}/new_navigation").json() == changed.json()["features"][0]
    missing = client.get(f"{FEATURES}/nowhere")
    assert (missing.status_code, missing.json()["name"]) == (404, "NotFoundError")


@pytest.mark.parametrize(
    ("shown", "enabled"),
    [("{}", False), ("Bearer {}", False), ("*:dev.{}", True), ("default:dev.{}", True)],
)
def test_the_environment_is_part_of_the_token(client, application, change, shown, enabled):
    change(Boolean(value=True), "dev")
    headers = {"authorization": shown.format(application.token)}
    answer = client.get(FEATURES, headers=headers)
    assert answer.json()["features"][0]["enabled"] is enabled


@pytest.mark.parametrize("shown", ["", "wrong", "*:dev.wrong", "dev.{}x", "*:*.", "Basic {}"])
def test_wrong_tokens(client, application, shown):
    client.headers["authorization"] = shown.format(application.token)
    for method, path in (
        ("GET", FEATURES),
        ("POST", "/api/client/register"),
        ("POST", "/api/client/metrics"),
        ("GET", "/api/frontend"),
        ("GET", f"{GITLAB}/client/features"),
    ):
        answer = client.request(method, path)
        assert answer.status_code == 401
        assert "token" in answer.json()["message"]


def test_an_environment_that_is_none(client, application):
    client.headers["authorization"] = f"*:moon.{application.token}"
    answer = client.get(FEATURES)
    assert answer.status_code == 400
    assert "there is no environment moon" in answer.json()["message"]


def test_reports_are_counted(application, context, clock):
    flags = {"x": flag(boolean=True)}
    compiled = compile_snapshot(Snapshot(environment="dev", flags=flags), surroundings())

    class Holding:
        async def of(self, _environment):
            return Held(etag='"1"', compiled=compiled)

    telemetry = Telemetry()
    parts = Parts(places=context, held=Holding(), telemetry=telemetry, clock=clock)
    client = TestClient(
        build_unleash(
            Client(parts, version=2, accepted=202),
            Frontend(parts),
            Access(application.services, "secret"),
        )
    )
    client.headers |= {"authorization": "*:dev.secret", "unleash-sdk": "unleash-x:1"}
    body = {"appName": "shop", "instanceId": "shop-1"}
    assert client.post("/client/register", json=body).status_code == 202
    counts = {"x": {"yes": 3, "no": 1, "variants": {}}, "nowhere": {"yes": 9, "no": 0}}
    bucket = {"start": "2026-01-01T00:00:00Z", "stop": "2026-01-01T00:01:00Z", "toggles": counts}
    answer = client.post("/client/metrics", json={**body, "bucket": bucket})
    assert answer.status_code == 202
    (beat,) = telemetry.heartbeats()
    assert (beat.instance, beat.application) == ("shop-1", "shop")
    assert (beat.environment, beat.sdk) == ("dev", "unleash-x:1")
    assert [(each.value, each.count) for each in telemetry.answers("x")] == [(True, 3), (False, 1)]
    (asked,) = telemetry.unknown()
    assert (asked.flag, asked.application, asked.count) == ("nowhere", "shop", 9)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"",
    ],
)
def test_malformed_reports(client, body):
    answer = client.post("/api/client/metrics", content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["message"]


@pytest.mark.parametrize(
    "bucket",
    [
        None,
        1,
        {},
        {"toggles": 1},
        {"toggles": {"new_navigation": 1}},
        {"toggles": {"new_navigation": {"yes": "3", "no": -1}}},
    ],
)
def test_reports_that_count_nothing(client, bucket):
    body = {"appName": 1, "instanceId": None, "bucket": bucket}
    assert client.post("/api/client/metrics", json=body).status_code == 202


def test_gitlabs_addresses_and_headers(client, application, change):
    change(Boolean(value=True), "dev")
    del client.headers["authorization"]
    for shown in (
        {"headers": {"unleash-instanceid": application.token, "unleash-appname": "dev"}},
        {"params": {"instance_id": application.token, "app_name": "dev"}},
    ):
        for path in ("features", "client/features"):
            answer = client.get(f"{GITLAB}/{path}", **shown)
            assert answer.json()["version"] == 1
            assert answer.json()["features"][0]["enabled"] is True
    headers = {"unleash-instanceid": application.token}
    for name, features in (("canary", 1), ("review/topic", 0), ("production", 1)):
        answer = client.get(f"{GITLAB}/features", headers={**headers, "unleash-appname": name})
        assert len(answer.json()["features"]) == features
    for path in ("register", "metrics"):
        answer = client.post(f"{GITLAB}/client/{path}", json={"appName": "dev"}, headers=headers)
        assert answer.status_code == 200
    for path in (GITLAB, f"/environments/dev{GITLAB}"):
        assert client.get(path, headers=headers).json() == {"message": "not supported yet"}
        assert client.get(path).status_code == 401


def test_the_frontend_hears_what_is_on(client, change):
    assert client.get("/api/frontend").json() == {"toggles": []}
    change(Actors(ids=("User:1",), value=True))
    on = [
        {
            "name": "new_navigation",
            "enabled": True,
            "variant": {"name": "disabled", "enabled": False, "feature_enabled": True},
            "impressionData": False,
        }
    ]
    answer = client.get("/api/frontend", params={"userId": "User:1", "properties[plan]": "gold"})
    assert answer.json() == {"toggles": on}
    again = {"if-none-match": answer.headers["etag"]}
    params = {"properties[plan]": "gold", "userId": "User:1"}
    assert client.get("/api/frontend", params=params, headers=again).status_code == 304
    body = {"context": {"userId": "User:1", "properties": {"plan": "gold"}}}
    assert client.post("/api/frontend", json=body).json() == {"toggles": on}
    body = {"context": {"userId": "User:2"}}
    assert client.post("/api/frontend", json=body, headers=again).json() == {"toggles": []}


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"context": 1}', b'{"context": {"properties": 1}}']
)
def test_a_malformed_context(client, body):
    answer = client.post("/api/frontend", content=body)
    assert answer.status_code == 400


def test_a_crc32_share_is_exact_on_the_frontend(client, change):
    change(PercentageOfActors(value=Decimal("22.5")))
    on = [
        number
        for number in range(60)
        if client.get("/api/frontend", params={"userId": f"User:{number}"}).json()["toggles"]
    ]
    found = Flag(name="new_navigation", gates=Gates(percentage_of_actors=Decimal("22.5")))
    compiled = compile_snapshot(
        Snapshot(environment="x", flags={"new_navigation": found}), surroundings()
    )
    check = compiled.checks["new_navigation"]
    assert on == [number for number in range(60) if check((f"User:{number}",))]
    assert on


@pytest.mark.parametrize(
    ("payload", "written"),
    [
        ("red", {"type": "string", "value": "red"}),
        (7, {"type": "number", "value": "7"}),
        (True, {"type": "json", "value": "true"}),
        ({"a": [1]}, {"type": "json", "value": '{"a": [1]}'}),
        (None, None),
    ],
)
def test_variants_on_the_frontend(payload, written):
    given = Flag(
        name="x", gates=Gates(boolean=True), variants=(Variant(name="one", payload=payload),)
    )
    compiled = compile_snapshot(Snapshot(environment="x", flags={"x": given}), surroundings())
    (toggle,) = toggles(Held(etag='"1"', compiled=compiled), {"userId": "User:1"})
    assert toggle["variant"]["name"] == "one"
    assert toggle["variant"].get("payload") == written
