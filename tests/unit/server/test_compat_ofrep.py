"""OFREP: evaluations, 304, and errors as the protocol words them."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from flagstaff.commands.model import SetFlag
from flagstaff.errors import Unavailable
from flagstaff.flags.change import Actors, Boolean, Expression, PercentageOfActors
from flagstaff.flags.percentage import parse_percentage
from flagstaff.server.app import build
from flagstaff.server.compat import live
from flagstaff.server.settings import Settings
from flagstaff.services.person import ENGINE

ALL = "/ofrep/v1/evaluate/flags"
ONE = f"{ALL}/new_navigation"
ADA = {"context": {"targetingKey": "User:1", "plan": "gold"}}
REASONS = {"STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"}


@pytest.fixture
def root(root):
    """Return a project without a staging, for whose sake production would have to wait."""
    (root / "flagstaff.yml").write_text("environments: [dev, production]\n")
    return root


@pytest.fixture
def change(application):
    def changing(change, environment="production"):
        command = SetFlag(flag="new_navigation", environments=(environment,), change=change)
        application.services.execute(command, ENGINE)

    return changing


def test_one_flag(client, change):
    answer = client.post(ONE, json=ADA)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "key": "new_navigation",
            "value": False,
            "reason": "STATIC",
            "variant": "off",
            "metadata": {"gate": "default", "version": 0},
        },
    )
    change(Actors(ids=("User:1",), value=True))
    found = client.post(ONE, json=ADA).json()
    assert (found["value"], found["reason"]) == (True, "TARGETING_MATCH")
    found = client.post(ONE, json={"context": {"targetingKey": "User:2"}}).json()
    assert (found["value"], found["reason"]) == (False, "DISABLED")


@pytest.mark.parametrize("body", [{}, {"context": {}}, {"context": {"targetingKey": ""}}, None])
def test_nobody_in_particular(client, change, body):
    change(PercentageOfActors(value=parse_percentage("100")))
    sent = {} if body is None else {"json": body}
    assert client.post(ONE, **sent).json()["value"] is False
    change(Boolean(value=True))
    assert client.post(ONE, **sent).json()["value"] is True


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"\xff\xfe", "PARSE_ERROR"),
        (b"[]", "INVALID_CONTEXT"),
        (b'{"context": "User:1"}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 1}}', "INVALID_CONTEXT"),
    ],
)
def test_malformed_requests(client, body, code):
    answer = client.post(ONE, content=body)
    assert answer.status_code == 400
    assert (answer.json()["key"], answer.json()["errorCode"]) == ("new_navigation", code)
    answer = client.post(ALL, content=body)
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == code
    assert "key" not in answer.json()


def test_an_unknown_flag_and_an_unknown_environment(client):
    answer = client.post(f"{ALL}/nowhere/at/all", json=ADA)
    assert (answer.status_code, answer.json()) == (
        404,
        {
            "key": "nowhere/at/all",
            "errorCode": "FLAG_NOT_FOUND",
            "errorDetails": "there is no flag nowhere/at/all",
        },
    )
    answer = client.post(ONE, json=ADA, headers={"x-flagstaff-environment": "moon"})
    assert answer.status_code == 400
    assert "there is no environment moon" in answer.json()["errorDetails"]


def test_all_flags_and_not_modified(client, change):
    change(Actors(ids=("User:2",), value=True))
    answer = client.post(ALL, json=ADA)
    (flag,) = answer.json()["flags"]
    assert flag["key"] == "new_navigation"
    assert flag["reason"] in REASONS
    assert answer.json()["metadata"] == {"environment": "production", "version": 1}
    again = {"if-none-match": f'"other", W/{answer.headers["etag"]}'}
    unchanged = client.post(ALL, json=ADA, headers=again)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == answer.headers["etag"]
    somebody = {"context": {"targetingKey": "User:2"}}
    assert client.post(ALL, json=somebody, headers=again).status_code == 200
    change(Boolean(value=True))
    changed = client.post(ALL, json=ADA, headers=again)
    assert changed.status_code == 200
    assert changed.json()["flags"][0]["value"] is True


def test_an_answer_that_time_changed_is_not_called_unmodified(application, client, monkeypatch):
    moment = datetime.now(UTC)
    soon = moment + timedelta(hours=1)
    clock = SimpleNamespace(now=lambda _zone: moment)
    monkeypatch.setattr("flagstaff.server.compat.live.datetime", clock)
    command = SetFlag(
        flag="new_navigation",
        environments=("production",),
        change=Expression(value={"GreaterThan": [{"Now": []}, {"Time": [soon.isoformat()]}]}),
    )
    application.services.execute(command, ENGINE)
    ofrep = client.post(ALL, json=ADA)
    frontend = client.get("/api/frontend", params={"userId": "User:1"})
    assert ofrep.json()["flags"][0]["value"] is False
    assert frontend.json()["toggles"] == []
    moment = soon + timedelta(seconds=1)
    again = client.post(ALL, json=ADA, headers={"if-none-match": ofrep.headers["etag"]})
    assert again.status_code == 200
    assert again.json()["flags"][0]["value"] is True
    again = client.get(
        "/api/frontend",
        params={"userId": "User:1"},
        headers={"if-none-match": frontend.headers["etag"]},
    )
    assert again.status_code == 200
    assert [each["name"] for each in again.json()["toggles"]] == ["new_navigation"]


def test_environments_by_path_and_header_are_told_apart(client, change):
    change(Boolean(value=True), "dev")
    assert client.post(ONE, json=ADA).json()["value"] is False
    header = {"x-flagstaff-environment": "dev"}
    assert client.post(ONE, json=ADA, headers=header).json()["value"] is True
    assert client.post(f"/environments/dev{ONE}", json=ADA).json()["value"] is True
    metadata = client.post(f"/environments/dev{ALL}", json=ADA).json()["metadata"]
    assert metadata["environment"] == "dev"


def test_the_token_in_either_header(client, application):
    del client.headers["authorization"]
    refused = client.post(ONE, json=ADA)
    assert refused.status_code == 401
    assert "token" in refused.json()["errorDetails"]
    assert client.post(ALL, json=ADA, headers={"x-api-key": "wrong"}).status_code == 401
    assert client.post(ONE, json=ADA, headers={"x-api-key": application.token}).status_code == 200


def test_the_stream_opens_with_its_seal_alone(client):
    (stream,) = client.post(f"/environments/dev{ALL}", json=ADA).json()["eventStreams"]
    uri = stream["endpoint"]["requestUri"]
    assert uri.startswith("/environments/dev/ofrep/v1/events?environment=dev&seal=")
    del client.headers["authorization"]
    for wrong in (
        "/ofrep/v1/events",
        "/ofrep/v1/events?environment=dev",
        uri[:-1],
        uri.replace("environment=dev", "environment=production"),
        "/ofrep/v1/events?environment=dev&seal=%C3%A9",
    ):
        assert client.get(wrong).status_code == 401


def test_the_stream_has_the_same_address_after_a_restart(client, application, root):
    before = client.post(ALL, json=ADA).json()["eventStreams"]
    application.close()
    again = build(Settings(root=root, engine=False))
    with TestClient(again.asgi, base_url="http://localhost") as other:
        headers = {"authorization": f"Bearer {again.token}"}
        assert other.post(ALL, json=ADA, headers=headers).json()["eventStreams"] == before
    again.close()


def test_other_addresses_and_methods(client):
    assert client.get(ONE).status_code == 405
    answer = client.get("/ofrep/v1/configuration")
    assert (answer.status_code, answer.json()) == (404, {"errorDetails": "Not Found"})


@pytest.fixture
def away(monkeypatch):
    """Take the database away for as long as the block lasts."""

    @contextlib.contextmanager
    def taken():
        def gone(*_):
            raise Unavailable("the database is away")

        with monkeypatch.context() as patch:
            patch.setattr("flagstaff.server.streams.encoded.snapshot", gone)
            yield

    return taken


def followed(application, environment):
    """Return once an environment has been read."""
    end = time.monotonic() + 60
    while application.hub.channel(environment).latest is None:
        assert time.monotonic() < end, f"{environment} is not followed"
        time.sleep(0.01)


def test_while_the_database_is_away_the_last_good_snapshot_answers(
    application, client, change, away
):
    change(Boolean(value=True))
    assert client.post(ONE, json=ADA).json()["value"] is True
    followed(application, "dev")
    with away():
        change(Boolean(value=False))
        answer = client.post(ONE, json=ADA)
        assert (answer.status_code, answer.json()["value"]) == (200, True)
        unasked = client.post(f"/environments/dev{ONE}", json=ADA)
        assert unasked.status_code == 200  # every environment is followed from the start
    time.sleep(live.PATIENCE)
    assert client.post(ONE, json=ADA).json()["value"] is False
