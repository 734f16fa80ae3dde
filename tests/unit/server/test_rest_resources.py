"""Every thing has an address, long lists come in pages, and the wrong is told as a problem."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import get_args

import pytest

from flagstaff.commands.model import Command

COMMANDS = "/api/v1/commands"
PLACE = "/api/v1/flags/new_navigation/environments/dev"
ON = {"change": {"kind": "Boolean", "value": True}}


def pages(client, path, **params):
    """Follow `Link` to the end; return the pages."""
    answer = client.get(path, params=params)
    found = [answer.json()]
    while link := answer.headers.get("link"):
        address, _, relation = link.partition(">; ")
        assert relation == 'rel="next"'
        answer = client.get(address.removeprefix("<"))
        found.append(answer.json())
    return found


def test_a_flag_is_set_narrowed_and_forgotten_where_it_is(client):
    assert client.put(f"{PLACE}/gates", json=ON).json()["ok"] is True
    quarter = {"change": {"kind": "PercentageOfActors", "value": "25"}, "reason": "too fast"}
    narrowed = client.put(f"{PLACE}/gates", json=quarter).json()
    assert narrowed["text"].splitlines() == [
        "dev: on for 25 % of actors",
        "dev: this closed on for everyone",
    ]
    body = client.get(PLACE).json()
    assert (body["flag"], body["environment"], body["words"]) == (
        "new_navigation",
        "dev",
        "on for 25 % of actors",
    )
    forgotten = client.delete(f"{PLACE}/gates", params={"reason": "over"})
    assert forgotten.status_code == 200
    assert client.get(PLACE).json()["gates"] is None


def test_the_body_says_only_what_the_address_does_not(client):
    twice = client.put(f"{PLACE}/gates", json={**ON, "flag": "other"})
    assert twice.status_code == 400
    assert "the address says flag" in twice.json()["detail"]
    for text in ("null", "[]", "NaN", "{"):
        wrong = client.put(
            f"{PLACE}/gates", content=text, headers={"content-type": "application/json"}
        )
        assert (wrong.status_code, wrong.json()["code"]) == (400, "usage"), text


@pytest.mark.parametrize(
    ("body", "words", "remedy"),
    [
        ({"change": {"kind": "boolean", "value": True}}, "no kind 'boolean'", "`Boolean`"),
        ({"change": {"kind": "X"}}, "change: there is no kind 'X'", "PercentageOfActors"),
        ({"change": {"value": True}}, "`kind` is missing", "one of Boolean"),
        ({"change": True}, "expected a JSON object, not True", "one of Boolean"),
        ({"change": {"kind": ["X"]}}, "no kind ['X']", "one of Boolean"),
        ({"change": {"kind": "Boolean"}}, "change: value: it is missing", "one of value"),
        ({**ON, "reasn": "QA"}, "SetFlag has no field `reasn`", "`reason`"),
        (
            {"change": {"kind": "PercentageOfActors", "value": 12.5}},
            "change: value: expected a whole number, or one in quotes, not 12.5",
            '"12.5"',
        ),
        ({"change": {"kind": "PercentageOfActors", "value": True}}, "not True", "in quotes"),
    ],
)
def test_a_mistake_in_a_body_has_its_place_and_its_remedy(client, body, words, remedy):
    answer = client.put(f"{PLACE}/gates", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert remedy in answer.json()["hint"]


def test_a_whole_number_needs_no_quotes(client):
    body = {"change": {"kind": "PercentageOfActors", "value": 30}}
    assert client.put(f"{PLACE}/gates", json=body).json()["text"] == "dev: on for 30 % of actors"


def test_a_refused_change_names_the_override_and_takes_it(client):
    place = "/api/v1/flags/new_navigation/environments/production/gates"
    refused = client.put(place, json=ON)
    assert refused.status_code == 403
    assert "--ignore-feature-flag-consistency-check" in refused.json()["hint"]
    override = {"overrides": ["ignore-feature-flag-consistency-check"], "reason": "QA"}
    assert client.put(place, json={**ON, **override}).status_code == 200
    entry = client.get("/api/v1/audit").json()[0]
    assert (entry["override"], entry["reason"]) == (override["overrides"][0], "QA")
    one = client.get(f"/api/v1/audit/{entry['id']}")
    assert one.json() == entry
    assert client.post(f"/api/v1/audit/{entry['id']}/undo", json={"reason": "no"}).json()["ok"]
    assert client.get("/api/v1/audit/verification").json()["ok"] is True


def test_the_log_is_exported_in_both_forms(client):
    client.put(f"{PLACE}/gates", json=ON)
    lines = client.get("/api/v1/audit/export")
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(each)["action"] for each in lines.text.splitlines()] == ["flag.set"]
    table = client.get("/api/v1/audit/export", params={"format": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.text.startswith("id,")


def test_a_rollout_is_steered_by_its_address(client, rollout):
    path = f"/api/v1/rollouts/{rollout}"
    assert client.post(f"{path}/start").json()["data"]["phase"] == "running"
    assert (
        client.post(f"{path}/pause", json={"reason": "lunch"}).json()["data"]["phase"] == "paused"
    )
    assert client.post(f"{path}/resume").json()["data"]["phase"] == "running"
    assert client.post(f"{path}/abort").status_code == 400
    assert client.post(f"{path}/abort", json={"reason": "enough"}).json()["ok"] is True
    assert client.post(f"{path}/start").status_code == 409
    assert client.get("/api/v1/rollouts", params={"active": "true"}).json() == []


def test_an_issue_becomes_a_rollout_with_an_address(client):
    issue = (
        "## Rollout Steps\n\n### Rollout on non-production environments\n\n"
        "- [ ] `/chatops run feature set new_navigation true --dev`\n"
    )
    made = client.post("/api/v1/rollouts", json={"text": issue})
    assert made.status_code == 201, made.text
    assert client.get(made.headers["location"]).json()["flag"] == "new_navigation"


def test_what_a_flag_answers_is_explained_for_every_environment(client):
    quarter = {"change": {"kind": "PercentageOfActors", "value": "25"}}
    client.put(f"{PLACE}/gates", json=quarter)
    found = client.post("/api/v1/flags/new_navigation/evaluate", json={"actor": "User:42"}).json()
    assert [each["environment"] for each in found][:2] == ["dev", "staging"]
    assert "25 %" in found[0]["words"]
    assert found[1]["reason"] == "DEFAULT"
    nobody = client.post(
        "/api/v1/flags/new_navigation/evaluate", json={"environments": ["dev"]}
    ).json()
    assert "asks without an actor" in nobody[0]["words"]
    assert client.post("/api/v1/flags/nope/evaluate", json={}).status_code == 404


def test_locks_refuse_by_every_address(client):
    lock = {"kind": "LockEnvironment", "environment": "dev", "reason": "upgrade"}
    assert client.post(COMMANDS, json=lock).json()["ok"] is True
    assert "dev is locked: upgrade" in client.put(f"{PLACE}/gates", json=ON).json()["detail"]
    gitlab = client.post("/environments/dev/api/v4/features/new_navigation", data={"value": "true"})
    assert gitlab.status_code == 403
    assert "dev is locked: upgrade" in gitlab.json()["message"]
    flipper = client.post("/environments/dev/flipper/api/features/new_navigation/boolean")
    assert flipper.status_code == 403


def test_lists_come_in_pages_that_are_neither_short_nor_overlapping(client, application):
    for number in range(7):
        client.put(f"/api/v1/flags/run_jobs_{number}/environments/dev/gates", json=ON)
    names = [each["name"] for page in pages(client, "/api/v1/flags") for each in page]
    small = pages(client, "/api/v1/flags", limit=3)
    assert [len(each) for each in small][:-1] == [3] * (len(small) - 1)
    assert [each["name"] for page in small for each in page] == names == sorted(names)
    numbers = [each["id"] for page in pages(client, "/api/v1/audit", limit=2) for each in page]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 7
    places = [
        each["name"] for page in pages(client, "/api/v1/environments", limit=2) for each in page
    ]
    assert places == sorted(application.services.context.project.environments)
    matching = pages(client, "/api/v1/flags", match="jobs", limit=2)
    assert sum(len(each) for each in matching) == 7
    for limit in ("0", "1001", "x"):
        assert client.get("/api/v1/flags", params={"limit": limit}).status_code == 400


def test_head_answers_as_get_without_the_body(client):
    got, head = client.get(PLACE), client.head(PLACE)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["etag"] == got.headers["etag"]
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("GET", "/flags/a%0Ab/environments/dev", {}, 404),
        ("PATCH", "/flags", {}, 405),
        ("GET", "/flags", {"accept": "text/html"}, 406),
        ("GET", "/flags", {"accept": "application/json;q=0"}, 406),
        ("POST", "/commands", {"content-type": "text/plain"}, 415),
        ("POST", "/commands", {"content-type": "application/x-www-form-urlencoded"}, 415),
        ("GET", "/flags", {"authorization": "Bearer wrong"}, 401),
    ],
)
def test_what_goes_wrong_is_a_problem_with_a_name_and_a_hint(client, method, path, headers, status):
    content = "x" if method == "POST" else None
    named = {"x-request-id": "mine-7", **headers}
    answer = client.request(method, f"/api/v1{path}", headers=named, content=content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "mine-7"
    body = answer.json()
    assert body["status"] == status
    assert body["type"] == f"urn:flagstaff:{body['code']}"
    assert body["hint"]


def test_405_names_every_method_there_is(client):
    answer = client.post(f"{PLACE}/gates")
    assert answer.headers["allow"] == "DELETE, PUT"
    assert answer.json()["hint"] == "use DELETE or PUT"
    assert client.delete("/api/v1/flags").headers["allow"] == "GET, HEAD"


def test_long_bodies_are_a_problem_too(client):
    answer = client.post(COMMANDS, json={"kind": "x" * 1_100_000})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_accepting_anything_or_json_among_others_is_fine(client):
    for accept in ("*/*", "application/*", "text/html, application/json;q=0.5", ""):
        assert client.get("/api/v1/flags", headers={"accept": accept}).status_code == 200


def test_a_name_that_could_forge_lines_of_the_log_is_replaced(client, caplog):
    caplog.set_level("INFO", logger="flagstaff.requests")
    answer = client.get("/api/v1/flags", headers={"x-request-id": "a b\tc"})
    named = answer.headers["x-request-id"]
    assert len(named) == 32
    assert "GET /api/v1/flags 200" in caplog.text
    assert named in caplog.text


def test_the_document_has_every_command_with_every_field(client):
    document = client.get("/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    kinds = {each.__name__: each for each in get_args(Command)}
    assert set(schemas["Command"]["discriminator"]["mapping"]) == set(kinds)
    for name, kind in kinds.items():
        names = {each.name for each in fields(kind)}
        assert set(schemas[name]["properties"]) == {"kind", *names}
        assert schemas[name]["properties"]["kind"]["const"] == name
    body = document["paths"]["/commands"]["post"]["requestBody"]
    assert body["required"] is True
    assert body["content"]["application/json"]["schema"]["$ref"].endswith("/Command")


def test_the_document_has_a_problem_for_everything_that_can_go_wrong(client):
    document = client.get("/api/v1/openapi.json").json()
    for path, item in document["paths"].items():
        if path.endswith(("/events", "/stream")):
            continue
        for method, operation in item.items():
            answers = set(operation["responses"])
            assert {"400", "401", "403", "404", "406", "500", "503"} <= answers, path
            if method != "get":
                assert {"409", "412", "415", "422"} <= answers, path
            assert operation["summary"]


def test_a_flag_that_clients_ask_without_an_actor_gets_no_share_of_actors(client):
    quarter = {"change": {"kind": "PercentageOfActors", "value": "25"}}
    report = {"instance": "web-1", "environment": "dev"}

    def told(**counts):
        asked = [{"flag": "new_navigation", **counts}]
        assert client.post("/api/v1/telemetry", json={**report, "asked": asked}).status_code == 202

    told(with_actor=0, without_actor=4)
    assert client.put(f"{PLACE}/gates", params={"dry_run": "true"}, json=quarter).status_code == 200
    told(with_actor=0, without_actor=1)
    refused = client.put(f"{PLACE}/gates", json=quarter)
    assert refused.status_code == 403
    assert "all 5 questions that they looked at" in refused.json()["detail"]
    assert "--override actorless" in refused.json()["hint"]
    told(with_actor=1, without_actor=0)
    assert client.put(f"{PLACE}/gates", json=quarter).status_code == 200


def test_narrowing_a_flag_that_is_fully_on_is_one_step_through_the_protocol_of_gitlab_too(client):
    address = "/environments/dev/api/v4/features/new_navigation"
    client.post(address, data={"value": "true"})
    narrowed = client.post(address, data={"value": "25", "key": "percentage_of_actors"})
    assert narrowed.status_code == 201
    assert narrowed.json()["state"] == "conditional"
    (entry, _) = client.get("/api/v1/audit").json()
    assert entry["before"]["boolean"] is True
    assert (entry["after"]["boolean"], entry["after"]["percentage_of_actors"]) == (False, "25")


def test_a_plan_is_made_read_and_edited_where_it_is(client):
    plan = "steps:\n- {id: ask, approve: Sure?}\n- {id: later, wait: 600d}\n"
    wrong = client.post("/api/v1/plans", json={"flag": "new_navigation", "text": "steps: 3"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "definition")
    made = client.post("/api/v1/plans", json={"flag": "new_navigation", "text": plan})
    assert made.status_code == 201
    place = made.headers["location"] + "/plan"
    shown = client.get(place)
    assert shown.json()["schedule"]["seconds"] == 600 * 86400
    tag = shown.headers["etag"]
    assert client.get(place, headers={"if-none-match": tag}).status_code == 304
    new = {"plan": shown.json()["plan"].replace("600 d", "1 d"), "reason": "sooner"}
    rehearsed = client.put(place, json=new, params={"dry_run": True}, headers={"if-match": tag})
    assert "-  wait: 600 d" in rehearsed.json()["data"]["difference"]
    assert client.get(place).headers["etag"] == tag
    assert client.put(place, json=new, headers={"if-match": tag}).status_code == 200
    late = client.put(place, json=new, headers={"if-match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    entry = client.get("/api/v1/audit").json()[0]
    assert (entry["action"], entry["reason"]) == ("rollout.edit", "sooner")
    assert "+  wait: 1 d" in entry["after"]["difference"]
    assert {"name": "quick", "parameters": {"dwell": "15m"}} in client.get(
        "/api/v1/plans/templates"
    ).json()
