"""An edge passes on what its control plane says, goes on without it, and lets nobody else in."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from dataclasses import replace

import pytest
from sdk_standin import TOKEN, standin
from starlette.testclient import TestClient

from flagstaff.flags.snapshot import Snapshot
from flagstaff.server.edge import clients, following, forwarding
from flagstaff.server.edge.app import build_edge
from flagstaff.server.edge.settings import EdgeSettings
from flagstaff.server.streams.encoded import Encoded

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PATIENCE = 60.0
SNAPSHOT = "/api/v1/environments/test/snapshot"
ONE = "/ofrep/v1/evaluate/flags/search"
REPORT = {
    "instance": "web-1",
    "environment": "test",
    "application": "shop",
    "exposures": [{"flag": "search", "value": True, "gate": "boolean", "count": 3}],
    "unknown": [{"flag": "gone", "count": 2}],
}


@pytest.fixture
def upstream():
    with standin() as found:
        found.set(search=True)
        yield found


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(forwarding, "INTERVAL", 0.05)
    # A machine may be busy when an edge begins.
    monkeypatch.setattr("flagstaff.server.edge.app.FIRST_WAIT", PATIENCE)


@pytest.fixture
def start(tmp_path):
    with contextlib.ExitStack() as exits:

        @contextlib.contextmanager
        def started(url, **settings):
            token_file = tmp_path / "token"
            token_file.write_text(f"{TOKEN}\n")
            edge = build_edge(
                EdgeSettings(
                    upstream=url,
                    token_file=token_file,
                    environments="test",
                    folder=tmp_path / "edge",
                    **settings,
                )
            )
            with contextlib.closing(edge):
                edge.start()
                with TestClient(edge.asgi, base_url="http://localhost") as client:
                    client.headers["authorization"] = f"Bearer {TOKEN}"
                    client.edge = edge
                    yield client

        started.now = lambda url, **settings: exits.enter_context(started(url, **settings))
        yield started


def until(found, wanted):
    end = time.monotonic() + PATIENCE
    while (seen := found()) != wanted:
        assert time.monotonic() < end, f"{seen!r} is not {wanted!r}"
        time.sleep(0.01)


def version(client):
    return lambda: client.get(SNAPSHOT).json()["version"]


def test_a_snapshot_keeps_its_bytes_and_its_tag(upstream, start):
    client = start.now(upstream.url)
    answer = client.get(SNAPSHOT)
    assert answer.content == upstream.body().encode()
    assert answer.headers["etag"] == Encoded.of(2, answer.content).etag
    again = client.get(SNAPSHOT, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_change_is_passed_on(upstream, start):
    client = start.now(upstream.url)
    assert client.post(ONE, json={}).json()["value"] is True
    upstream.set(search=False)
    until(lambda: client.post(ONE, json={}).json()["value"], wanted=False)


def test_a_restart_without_the_control_plane_serves_from_disk_whom_it_knows(upstream, start):
    with start(upstream.url) as client:
        kept = client.get(SNAPSHOT)
    upstream.close()
    client = start.now(upstream.url)
    answer = client.get(SNAPSHOT)
    assert (answer.status_code, answer.content) == (200, kept.content)
    assert answer.headers["etag"] == kept.headers["etag"]
    assert client.post(ONE, json={}).json()["value"] is True
    client.headers["authorization"] = "Bearer somebody-else"
    stranger = client.get(SNAPSHOT)
    assert stranger.status_code == 503
    assert "cannot be told" in stranger.json()["detail"]
    ready = client.get("/readyz")
    assert ready.status_code == 200
    shown = ready.json()["environments"]["test"]
    assert (shown["version"], shown["mode"]) == (2, "stale")
    assert shown["seconds_since_contact"] < PATIENCE
    assert "does not answer" in shown["problem"]
    assert "on disk, at version 2" in client.edge.remarks()[0]


def test_without_anything_to_serve_it_says_why_and_begins_when_it_can(upstream, start, monkeypatch):
    monkeypatch.setattr("flagstaff.server.edge.app.FIRST_WAIT", 0.2)
    upstream.close()
    client = start.now(upstream.url)
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["test: there are no flags yet"])
    assert "there are no flags of test yet" in client.edge.remarks()[0]
    assert client.get(SNAPSHOT).status_code == 503
    with standin(upstream.port) as back:
        back.set(search=True)
        until(lambda: client.get("/readyz").status_code, 200)
        assert client.post(ONE, json={}).json()["value"] is True


def test_it_goes_on_when_the_control_plane_comes_back(upstream, start):
    client = start.now(upstream.url)
    client.get(SNAPSHOT)
    upstream.close()
    until(lambda: client.get("/readyz").json()["environments"]["test"]["mode"], "stale")
    assert client.get(SNAPSHOT).json()["version"] == 2
    with standin(upstream.port) as back:
        back.snapshot = replace(upstream.snapshot, version=7)
        until(version(client), 7)
        until(lambda: client.get("/readyz").json()["environments"]["test"]["mode"], "live")


def test_when_its_own_token_is_revoked_it_says_so_once_and_goes_on(upstream, start, caplog):
    client = start.now(upstream.url)
    assert client.get(SNAPSHOT).status_code == 200
    upstream.token = "another"
    upstream.break_streams()
    until(lambda: "refuses the token" in caplog.text, wanted=True)
    time.sleep(2.5)
    assert sum("refuses the token" in each.getMessage() for each in caplog.records) == 1
    assert client.get(SNAPSHOT).status_code == 200
    (client.edge.settings.token_file).write_text("another")
    until(lambda: client.get("/readyz").json()["environments"]["test"]["mode"], "live")


def test_a_revoked_token_of_an_application_is_refused(upstream, start, monkeypatch):
    client = start.now(upstream.url)
    assert client.get(SNAPSHOT).status_code == 200
    monkeypatch.setattr(clients, "FRESH", 0.0)
    upstream.token = "another"
    assert client.get(SNAPSHOT).status_code == 401
    assert client.get(SNAPSHOT).status_code == 401
    upstream.close()
    assert client.get(SNAPSHOT).status_code == 401


def test_an_environment_that_is_removed_stays_as_it_was(upstream, start, monkeypatch):
    client = start.now(upstream.url)
    assert client.get(SNAPSHOT).status_code == 200
    monkeypatch.setattr(clients, "FRESH", 0.0)
    upstream.stream_status = upstream.poll_status = 400
    upstream.break_streams()
    until(lambda: client.get("/readyz").json()["environments"]["test"]["mode"], "stale")
    assert client.get(SNAPSHOT).status_code == 200
    assert client.post(ONE, json={}).json()["value"] is True


def test_an_older_snapshot_is_that_of_a_replica_until_it_stays(upstream, start, monkeypatch):
    client = start.now(upstream.url)
    upstream.set(search=False)
    until(version(client), 3)
    with upstream._changed:
        upstream.snapshot = replace(upstream.snapshot, version=1)
    upstream.break_streams()
    time.sleep(1.5)
    assert version(client)() == 3
    monkeypatch.setattr(following, "STEP_BACK_AFTER", 0.0)
    until(version(client), 1)


def test_a_malformed_snapshot_changes_nothing(upstream, start):
    client = start.now(upstream.url)
    upstream.say('event: snapshot\ndata: {"format": 99}\n\n')
    reason = "a snapshot of the control plane was refused; the log says why"
    until(lambda: client.get("/readyz").json()["environments"]["test"]["problem"], reason)
    assert version(client)() == 2
    upstream.set(search=False)
    until(version(client), 3)


def test_reports_reach_the_control_plane_added_up(upstream, start):
    client = start.now(upstream.url)
    for _ in range(2):
        assert client.post("/api/v1/telemetry", json=REPORT).status_code == 202
    body = {
        "appName": "shop",
        "instanceId": "node-1",
        "bucket": {"toggles": {"search": {"yes": 5}}},
    }
    assert client.post("/api/client/metrics", json=body).status_code == 202
    batch = {"reports": [{**REPORT, "instance": "web-2"}, {**REPORT, "environment": "nowhere"}]}
    answer = client.post("/api/v1/telemetry/batch", json=batch)
    assert (answer.status_code, answer.json()) == (202, {"taken": 1, "left_out": 1})
    until(lambda: counted(upstream), 6 + 5 + 3)
    assert unknown(upstream) == 2 + 2 + 2
    assert {each["instance"] for each in reported(upstream)} == {"web-1", "web-2", "node-1"}


def test_reports_wait_while_the_control_plane_is_away(upstream, start):
    client = start.now(upstream.url)
    client.get(SNAPSHOT)
    upstream.telemetry_status = 503
    client.post("/api/v1/telemetry", json=REPORT)
    until(lambda: client.get("/readyz").json()["reports"], {"waiting": 5, "dropped": 0})
    client.post("/api/v1/telemetry", json=REPORT)
    upstream.telemetry_status = 204
    until(lambda: counted(upstream), 6)
    until(lambda: client.get("/readyz").json()["reports"], {"waiting": 0, "dropped": 0})


def test_reports_that_are_never_taken_are_dropped_and_counted(upstream, start):
    client = start.now(upstream.url)
    upstream.telemetry_status = 422
    client.post("/api/v1/telemetry", json=REPORT)
    until(lambda: client.get("/readyz").json()["reports"], {"waiting": 0, "dropped": 5})


def reported(upstream):
    return [each for batch in upstream.reports for each in batch["reports"]]


def counted(upstream):
    return sum(each["count"] for one in reported(upstream) for each in one["exposures"])


def unknown(upstream):
    return sum(each["count"] for one in reported(upstream) for each in one["unknown"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/commands"),
        ("DELETE", "/api/v1/environments/test/snapshot/x"),
        ("POST", "/api/v4/features/search"),
        ("DELETE", "/environments/test/api/v4/features/search"),
        ("POST", "/flipper/api/features/search/boolean"),
        ("DELETE", "/flipper/api/features/search"),
        ("POST", "/flipper/api/import"),
        ("DELETE", "/environments/test/flipper/api/features/search/clear"),
    ],
)
def test_changes_are_refused_with_the_place_where_they_can_be_made(upstream, start, method, path):
    client = start.now(upstream.url)
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert upstream.url in answer.text
    client.headers["authorization"] = "Bearer wrong"
    stranger = client.request(method, path)
    assert stranger.status_code == 401
    assert upstream.url not in stranger.text


def test_no_read_without_a_token(upstream, start):
    client = start.now(upstream.url)
    reads = [
        ("GET", SNAPSHOT),
        ("GET", "/api/v1/environments/test/stream"),
        ("POST", "/api/v1/telemetry"),
        ("POST", "/api/v1/telemetry/batch"),
        ("GET", "/api/v1/flags"),
        ("POST", "/ofrep/v1/evaluate/flags"),
        ("POST", ONE),
        ("GET", "/ofrep/v1/events?environment=test"),
        ("GET", "/api/client/features"),
        ("GET", "/api/frontend"),
        ("POST", "/api/frontend"),
        ("POST", "/api/client/metrics"),
        ("GET", "/api/v4/feature_flags/unleash/1/client/features"),
        ("GET", "/flipper/api/features"),
        ("GET", "/flipper/api/actors/User:1"),
        ("GET", "/"),
    ]
    for headers in ({"authorization": ""}, {"authorization": "Bearer wrong"}):
        for method, path in reads:
            for prefix in ("", "/environments/test"):
                answer = client.request(method, prefix + path, headers=headers)
                assert answer.status_code == 401, prefix + path
                assert "search" not in answer.text
    foreign = client.get(SNAPSHOT, headers={"host": "evil.example"})
    assert foreign.status_code == 403


def test_another_environment_is_not_here(upstream, start):
    client = start.now(upstream.url)
    for path in ("/api/v1/environments/staging/snapshot", "/api/v1/environments/staging/stream"):
        answer = client.get(path)
        assert answer.status_code == 400
        assert "this edge has no environment staging" in answer.json()["detail"]


def test_only_a_public_edge_answers_strangers_and_only_questions(upstream, start):
    client = start.now(upstream.url, public=True)
    del client.headers["authorization"]
    answer = client.get("/api/frontend?userId=User:1")
    assert [each["name"] for each in answer.json()["toggles"]] == ["search"]
    assert answer.headers["cache-control"].startswith("public, max-age=10")
    assert answer.headers["access-control-allow-origin"] == "*"
    kept = client.get("/api/frontend", headers={"if-none-match": answer.headers["etag"]})
    assert kept.status_code == 304
    wrong = client.get("/api/frontend", headers={"x-flagstaff-environment": "staging"})
    assert (wrong.status_code, wrong.headers["cache-control"]) == (400, "no-store")
    preflight = client.options("/api/frontend")
    assert preflight.headers["access-control-allow-methods"] == "GET"
    for method, path in (("GET", SNAPSHOT), ("GET", "/api/client/features"), ("POST", ONE)):
        closed = client.request(method, path)
        assert closed.status_code == 401
        assert "cache-control" not in closed.headers
    assert client.post("/api/frontend", json={}).status_code == 401


def test_the_token_is_nowhere_on_disk_or_in_the_log(upstream, start, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    client = start.now(upstream.url)
    client.get(SNAPSHOT)
    client.headers["authorization"] = "Bearer wrong-but-secret"
    client.get(SNAPSHOT)
    until((tmp_path / "edge/test.json").exists, wanted=True)
    files = [each for each in (tmp_path / "edge").iterdir() if each.name != ".gitignore"]
    assert {"tokens.json", "key", "test.json"} <= {each.name for each in files}
    for text in (caplog.text, *(each.read_text() for each in files)):
        assert TOKEN not in text
        assert "wrong-but-secret" not in text
    assert all(each.stat().st_mode & 0o077 == 0 for each in files)
    assert json.loads((tmp_path / "edge/tokens.json").read_text())


def test_what_is_kept_can_be_read_by_an_sdk(upstream, start, tmp_path):
    start.now(upstream.url)
    until((tmp_path / "edge/test.json").exists, wanted=True)
    kept = json.loads((tmp_path / "edge/test.json").read_bytes())
    assert Snapshot.from_json(kept).version == 2
