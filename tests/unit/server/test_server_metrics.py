"""Metrics say what happened, in words that the project itself has."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Boolean
from flagstaff.server.app import build
from flagstaff.server.settings import Settings

SET = SetFlag(flag="new_navigation", environments=("dev",), change=Boolean(value=True))


def value(text, line):
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    assert found, f"{line} is not in\n{text}"
    return float(found[1])


def test_requests_are_counted_by_template(client, application):
    client.get("/api/v1/environments/dev/snapshot")
    client.get("/environments/dev/api/client/features")
    client.get("/api/client/features")
    client.post("/ofrep/v1/evaluate/flags/new_navigation")
    client.get("/api/v1/rollouts/987654")
    client.get(f"/nowhere/{application.token}")
    client.request("BREW", "/")
    text = client.get("/metrics").text
    for route, method, status in (
        ("/api/v1/environments/{environment}/snapshot", "GET", 200),
        ("/environments/{environment}/api/client/features", "GET", 200),
        ("/api/client/features", "GET", 200),
        ("/ofrep/v1/evaluate/flags/{key}", "POST", 200),
        ("/api/v1/rollouts/{number}", "GET", 404),
        ("(none)", "GET", 404),
    ):
        labels = f'{{method="{method}",route="{route}",status="{status}"}}'
        assert value(text, f"flagstaff_http_requests_total{labels}") == 1
    assert value(text, 'flagstaff_http_request_duration_seconds_count{route="(none)"}') == 2
    assert application.token not in text
    assert "BREW" not in text
    assert "987654" not in text


def test_commands_are_counted_by_kind_and_outcome(client):
    body = encode_command(SET)
    client.post("/api/v1/commands", json=body)
    client.post("/api/v1/commands", json=body, params={"dry_run": True})
    client.post("/api/v1/commands", json={**body, "environments": ["nowhere"]})
    text = client.get("/metrics").text
    for outcome in ("done", "rehearsed", "usage"):
        line = f'flagstaff_commands_total{{kind="SetFlag",outcome="{outcome}"}}'
        assert value(text, line) == 1
    for name in ("flagstaff_engine_ticks_total", "flagstaff_database_errors_total"):
        assert value(text, name) == 0
    assert "flagstaff_build_info{" in text
    assert value(text, "process_open_fds") > 0


def test_the_database_away_is_counted_and_said(client, application):
    assert client.get("/readyz").json() == {"ok": True}
    application.services.database.errors = 3
    assert value(client.get("/metrics").text, "flagstaff_database_errors_total") == 3


def test_a_server_that_is_about_to_end_is_not_ready_and_lives(client, application):
    application.draining.yes = True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "draining")
    assert client.get("/healthz").status_code == 200


def test_beyond_this_machine_metrics_want_a_token(root):
    own = build(Settings(root=root, engine=False))
    with TestClient(own.asgi, base_url="http://localhost", client=("127.0.0.1", 1)) as here:
        assert here.get("/metrics").status_code == 200
    with TestClient(own.asgi, base_url="http://localhost", client=("192.0.2.1", 1)) as there:
        refused = there.get("/metrics")
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
        token = {"authorization": f"Bearer {own.token}"}
        assert there.get("/metrics", headers=token).status_code == 200
    own.close()


def test_a_fault_on_a_short_way_is_answered_and_counted(client, monkeypatch):
    def broken(*_args):
        raise ZeroDivisionError

    client.post("/ofrep/v1/evaluate/flags/new_navigation")
    monkeypatch.setattr("flagstaff.server.compat.ofrep.evaluate", broken)
    answer = client.post("/ofrep/v1/evaluate/flags/new_navigation")
    assert (answer.status_code, list(answer.json())) == (500, ["errorDetails"])
    assert "x-content-type-options" in answer.headers


@pytest.mark.parametrize("path", ["/ofrep/v1/evaluate/flags", "/api/frontend"])
def test_short_ways_answer_as_the_long_ones_do(client, path):
    method = "POST" if "ofrep" in path else "GET"
    short = client.request(method, path)
    long = client.request(method, f"/environments/production{path}")
    assert short.status_code == long.status_code == 200
    unstreamed = [{**each.json(), "eventStreams": None} for each in (short, long)]
    assert unstreamed[0] == unstreamed[1]
    assert client.request(method, path, headers={"authorization": "Bearer no"}).status_code == 401
    assert client.put(path).status_code == client.put(f"/environments/dev{path}").status_code == 405
