"""GitLab's Features API takes what its clients send, in every way they send it."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from flagstaff.commands.access_model import CreateToken
from flagstaff.server.app import build
from flagstaff.server.settings import Settings
from flagstaff.services import views
from flagstaff.services.person import ENGINE

URL = "/api/v4/features/new_navigation"
FEATURE = "new_navigation"


@pytest.fixture
def root(root):
    """Return a project without a staging, for whose sake production would have to wait."""
    (root / "flagstaff.yml").write_text(
        "environments: [dev, production]\npolicies: {allow_random: true}\n"
    )
    return root


def gates_of(answer):
    assert answer.status_code == 201, answer.text
    return {gate["key"]: gate["value"] for gate in answer.json()["gates"]}


@pytest.mark.parametrize(
    "sent",
    [
        {"params": {"value": "25", "key": "percentage_of_actors"}},
        {"data": {"value": "25", "key": "percentage_of_actors"}},
        {"json": {"value": 25, "key": "percentage_of_actors"}},
        {"json": {"value": "25.0"}, "params": {"key": "percentage_of_actors"}},
        {"files": {"value": (None, "25"), "key": (None, "percentage_of_actors")}},
    ],
)
def test_parameters_come_in_the_query_a_form_or_json(client, sent):
    assert gates_of(client.post(URL, **sent)) == {"boolean": False, "percentage_of_actors": 25}


@pytest.mark.parametrize("path", ["features//new_navigation", "/features/new_navigation/"])
def test_slashes_are_taken_with_patience(client, path):
    assert gates_of(client.post(f"/api/v4/{path}", json={"value": True})) == {"boolean": True}
    assert client.get("/api/v4//features//").json()[0]["name"] == FEATURE
    assert client.delete(f"/api/v4/{path}").status_code == 204


@pytest.mark.parametrize(
    ("value", "gates"),
    [
        (True, {"boolean": True}),
        ("100.0", {"boolean": True}),
        (0, {"boolean": False}),
        ("0.5", {"boolean": False, "percentage_of_time": 0.5}),
    ],
)
def test_values(client, value, gates):
    assert gates_of(client.post(URL, json={"value": value})) == gates


def test_nought_and_a_hundred_are_for_everyone_whatever_the_key_says(client):
    client.post(URL, json={"value": True, "user": "7"})
    sent = {"value": 0, "key": "percentage_of_actors"}
    assert gates_of(client.post(URL, json=sent)) == {"boolean": False}
    sent = {"value": 100, "key": "percentage_of_actors"}
    assert gates_of(client.post(URL, json=sent)) == {"boolean": True}


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({}, "value is missing"),
        ({"key": "percentage"}, "value is missing, key does not have a valid value"),
        (
            {"value": 5, "key": "percentage_of_time", "user": "a", "feature_group": "b"},
            "key, feature_group are mutually exclusive, key, user are mutually exclusive",
        ),
    ],
)
def test_parameters_that_do_not_go_together(client, sent, error):
    answer = client.post(URL, json=sent)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ({"value": "25%"}, "Cannot set 'new_navigation' to \"25%\""),
        (
            {"value": "x", "key": "percentage_of_actors"},
            'Cannot set \'new_navigation\' ("percentage_of_actors") to "x"',
        ),
        ({"value": "25", "user": "a"}, "Cannot set 'new_navigation' to \"25\" for User:a"),
        (
            {"value": "opt_out", "feature_group": "staff"},
            "Cannot set 'new_navigation' to \"opt_out\" for staff",
        ),
        ({"value": "remove_opt_out", "user": "a"}, "No opt-out exists for User:a"),
        ({"value": {"on": True}}, "value is invalid"),
        ({"value": 100.5}, "100.5 is above 100"),
        ({"value": True, "user": "a b"}, "has blanks"),
    ],
)
def test_what_cannot_be_set_is_a_bad_request_in_words(client, sent, text):
    answer = client.post(URL, json=sent)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("400 Bad request - ")
    assert text in answer.json()["message"]
    assert client.get("/api/v4/features").json() == []


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b'"x"'])
def test_a_malformed_body(client, body):
    answer = client.post(URL, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "JSON" in answer.json()["message"]


def test_several_kinds_of_targets_change_together_or_not_at_all(application, client):
    heard = []
    application.services.listen(heard.append)
    sent = {"value": True, "user": ["a", "b"], "project": "x/y", "feature_group": "staff"}
    assert gates_of(client.post(URL, json=sent)) == {
        "boolean": False,
        "actors": ["Project:x/y", "User:a", "User:b"],
        "groups": ["staff"],
    }
    assert len(heard) == 1


def test_without_the_token_there_is_nothing(client):
    for shown in ({}, {"private-token": "wrong"}, {"private-token": b"\xe9"}):
        client.headers.pop("authorization", None)
        for method, path in (("GET", "features"), ("POST", "features/x"), ("DELETE", "features/x")):
            answer = client.request(method, f"/api/v4/{path}", headers=shown)
            assert answer.status_code == 401
            assert answer.json() == {"message": "401 Unauthorized"}


def test_other_addresses_and_methods(client):
    assert client.get("/api/v4/projects").json() == {"error": "404 Not Found"}
    answer = client.put(URL)
    assert (answer.status_code, answer.json()) == (405, {"error": "405 Not Allowed"})


def test_an_environment_that_is_none(client):
    answer = client.get("/environments/moon/api/v4/features")
    assert answer.status_code == 400
    assert "there is no environment moon" in answer.json()["message"]


def test_a_policy_that_refuses_is_overruled_with_a_reason(root):
    (root / "flagstaff.yml").write_text("environments: [staging, production]\n")
    application = build(Settings(root=root, engine=False))
    with TestClient(application.asgi, base_url="http://localhost") as client:
        client.headers["private-token"] = application.token
        answer = client.post(URL, json={"value": True})
        assert answer.status_code == 403
        message = answer.json()["message"]
        assert message.startswith("403 Forbidden - new_navigation cannot be turned on")
        assert "--ignore-feature-flag-consistency-check" in message
        assert "X-Flagstaff-Override" in message
        overruling = {"x-flagstaff-override": "--ignore-feature-flag-consistency-check"}
        answer = client.post(URL, json={"value": True}, headers=overruling)
        assert answer.status_code == 400
        assert "needs a reason" in answer.json()["message"]
        overruling["x-flagstaff-reason"] = "caf%C3%A9 incident"
        assert gates_of(client.post(URL, json={"value": True}, headers=overruling))["boolean"]
        (entry,) = application.services.ask(views.audit, ENGINE)
        assert entry.reason == "café incident"
    application.close()


def test_a_definition_without_a_file_is_null(client):
    answer = client.post("/api/v4/features/run_sidekiq_jobs_A::B", json={"value": False})
    assert answer.json() == {
        "name": "run_sidekiq_jobs_A::B",
        "state": "off",
        "gates": [{"key": "boolean", "value": False}],
        "definition": None,
    }


def test_who_lacks_the_role_is_offered_no_override(client, application):
    made = application.services.execute(
        CreateToken(label="ci", roles=("viewer",), machine=True), ENGINE
    )
    client.headers["authorization"] = f"Bearer {made.data['token']}"
    answer = client.post(URL, params={"value": "true"})
    assert answer.status_code == 403
    message = answer.json()["message"]
    assert "needs the role operator in production" in message
    assert "X-Flagstaff-Override" not in message
