"""Whoever operates one environment changes no other, by no protocol and by no detour."""

from __future__ import annotations

import json

import pytest
from expected import COMMAND
from worlds import ROOT

from flagstaff.commands.codec import decode_command
from flagstaff.commands.model import ImportRollout
from flagstaff.errors import Refused
from flagstaff.services import views

ISSUE = """\
<!-- Title: [Feature flag] Rollout of `new_navigation` -->

## Rollout Steps

### Non-production

- [ ] `/chatops run feature set new_navigation true --dev --staging`

### Global rollout

- [ ] `/chatops run feature set new_navigation true`
"""
FLAG = "new_navigation"
ELSEWHERE = [
    ("POST", f"/api/v4/features/{FLAG}?value=true"),
    ("POST", f"/api/v4/features//{FLAG}?value=true"),
    ("DELETE", f"/api/v4/features/{FLAG}"),
    ("POST", f"/flipper/api/features/{FLAG}/boolean"),
    ("DELETE", f"/flipper/api/features/{FLAG}/boolean"),
    ("DELETE", f"/flipper/api/features/{FLAG}/clear"),
    ("DELETE", f"/flipper/api/features/{FLAG}"),
    ("POST", "/environments/production/flipper/api/features/new_navigation/boolean"),
    ("POST", "/environments/production/api/v4/features/new_navigation?value=true"),
]


def command(place, **more):
    return {**json.loads(json.dumps(COMMAND).replace("{environment}", place)), **more}


@pytest.fixture
def operator(world, bearing):
    return bearing(world.token("viewer", "operator@staging"))


def gates(application, place="production"):
    cell = application.services.ask(lambda unit: views.cell(unit, FLAG, place), ROOT)
    return cell.gates


@pytest.mark.parametrize(("method", "target"), ELSEWHERE)
def test_by_no_protocol(application, wire, operator, method, target):
    application.services.execute(decode_command(command("production")), ROOT)
    before = gates(application)
    answer = wire.ask(method, target, operator)
    assert answer.status == 403, answer.text
    assert gates(application) == before


@pytest.mark.parametrize(
    ("target", "header", "place"),
    [
        ("/environments/production{}", "staging", "production"),
        ("/environments/staging{}", "production", "staging"),
        ("{}", "staging", "staging"),
        ("{}", "production", "production"),
        ("{}", "", "production"),
        ("{}", "staging,production", ""),
        ("{}", " staging", ""),
        ("/environments/staging/../production{}", "staging", ""),
        ("/environments/staging%2F..%2Fproduction{}", "staging", ""),
        ("/environments/%2e%2e/production{}", "staging", ""),
    ],
)
def test_the_address_names_the_environment_before_the_header(
    application, wire, operator, target, header, place
):
    path = target.format(f"/flipper/api/features/{FLAG}/boolean")
    headers = {**operator, "x-flagstaff-environment": header}
    answer = wire.ask("POST", path, headers)
    expected = {"staging": {200}, "production": {403}, "": {400, 401, 403, 404}}[place]
    assert answer.status in expected
    assert (gates(application, "staging") is not None) is (place == "staging")
    assert gates(application) is None


def test_two_headers_name_no_second_environment(application, wire, operator):
    places = [("x-flagstaff-environment", each) for each in ("staging", "production")]
    pairs = [*operator.items(), *places]
    assert wire.ask("POST", f"/flipper/api/features/{FLAG}/boolean", pairs).status == 200
    assert gates(application) is None


def test_an_unleash_token_names_an_environment_but_opens_none(wire, world):
    token = world.token("application@staging")
    for named, expected in (("staging", 200), ("production", 403), ("*", 403), ("nowhere", 400)):
        headers = {"authorization": f"default:{named}.{token}"}
        assert wire.ask("GET", "/api/client/features", headers).status == expected
    headers = {"authorization": f"default:staging.{token}"}
    assert wire.ask("GET", "/environments/production/api/client/features", headers).status == 403


def post(wire, token, body, query=""):
    headers = {**token, "content-type": "application/json"}
    return wire.ask("POST", f"/api/v1/commands{query}", headers, json.dumps(body).encode())


def test_by_no_command(application, wire, operator, rollout):
    services = application.services
    services.execute(decode_command(command("production")), ROOT)
    entry = wire.ask("GET", "/api/v1/audit?action=flag", operator).json()[0]["id"]
    number = rollout("staging", "production")
    verbs = ["Start", "Approve", "Reject", "Skip", "Promote", "Pause", "Resume", "Retry", "Abort"]
    commands = [
        command("production"),
        command("staging", environments=["staging", "production"]),
        {"kind": "DeleteFlag", "flag": FLAG, "environments": ["production"]},
        {"kind": "UndoEntry", "entry": entry},
        {"kind": "RecordDeployment", "environment": "canary", "sha": "HEAD"},
        {"kind": "RecordDeployment", "environment": "production", "sha": "HEAD"},
    ]
    for verb in verbs:
        noun = "Step" if verb in {"Approve", "Reject", "Skip"} else "Rollout"
        body = {"kind": f"{verb}{noun}", "rollout": number}
        commands.append(body if verb == "Start" else {**body, "reason": "because"})
    before = gates(application)
    for each in commands:
        for query in ("", "?dry_run=true"):
            answer = post(wire, operator, each, query)
            assert answer.status == 403, (each, answer.text)
            assert "needs the role operator in production" in answer.text
    assert gates(application) == before


def test_to_overrule_a_policy_needs_more_than_to_change(wire, world, bearing, application):
    body = command("staging", overrides=["change-lock"], reason="because")
    assert post(wire, bearing(world.token("operator")), body).status == 403
    assert post(wire, bearing(world.token("maintainer@staging")), body).status == 200
    elsewhere = command("production", overrides=["change-lock"], reason="because")
    assert post(wire, bearing(world.token("maintainer@staging")), elsewhere).status == 403
    token = {
        **bearing(world.token("operator")),
        "x-flagstaff-override": "change-lock",
        "x-flagstaff-reason": "x",
    }
    assert wire.ask("POST", f"/api/v4/features/{FLAG}?value=true", token).status == 403
    assert gates(application) is None


def test_an_issue_is_begun_only_by_those_who_may_change_what_it_changes(services_of):
    services, ada = services_of("viewer", "operator@staging")
    with pytest.raises(Refused, match="operator in "):
        services.execute(ImportRollout(text=ISSUE, start=True), ada)
    assert services.execute(ImportRollout(text=ISSUE), ada).ok
    _, eve = services_of("viewer")
    with pytest.raises(Refused):
        services.execute(ImportRollout(text=ISSUE), eve)
