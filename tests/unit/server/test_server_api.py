"""Programs can ask for everything through /api/v1, and are told what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import ImportRollout, ListFlags, SetFlag, StartRollout
from flagstaff.errors import Unavailable
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.guard import Arm, Standing
from flagstaff.server.failures import status_of
from flagstaff.services.person import ENGINE
from flagstaff.services.views import audit
from flagstaff.store import evidence
from flagstaff.store.evidence import Point

COMMANDS = "/api/v1/commands"
SET = encode_command(
    SetFlag(flag="new_navigation", environments=("dev",), change=Boolean(value=True), reason="QA")
)


def test_a_command_is_carried_out_and_recorded_under_the_name_that_was_sent(client, application):
    headers = {"x-flagstaff-person": "Ada%20L%C3%B8v", "x-flagstaff-source": "terminal"}
    answer = client.post(COMMANDS, json=SET, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert answer.json()["text"] == "dev: on for everyone"
    entry = application.services.ask(audit, ENGINE)[0]
    assert (entry.who, entry.source, entry.reason) == ("Ada Løv", "terminal", "QA")


def test_a_dry_run_answers_and_changes_nothing(client):
    answer = client.post(COMMANDS, json=SET, params={"dry_run": "true"})
    assert "on for everyone" in answer.json()["text"]
    cells = client.get("/api/v1/flags/new_navigation").json()["environments"]
    assert all(cell["gates"] is None for cell in cells)


def test_a_mistyped_parameter_changes_nothing_and_is_named(client):
    place = "/api/v1/flags/new_navigation"
    gates = f"{place}/environments/dev/gates"
    body = {"change": {"kind": "Boolean", "value": True}}
    asked = [
        client.post(COMMANDS, json=SET, params={"dryrun": "true"}),
        client.put(gates, json=body, params={"dry-run": "true"}),
        client.put(gates, json=body, params={"DRYRUN": "true"}),
        client.delete(gates, params={"dry_runn": "1", "reason": "over"}),
    ]
    for answer in asked:
        assert (answer.status_code, answer.json()["code"]) == (400, "usage")
        assert answer.json()["hint"] == "did you mean dry_run?"
    assert asked[0].json()["detail"] == "unknown parameter dryrun"
    cells = client.get(place).json()["environments"]
    assert all(cell["gates"] is None for cell in cells)
    far = client.get("/api/v1/audit", params={"whom": "ada"})
    assert far.json()["hint"].startswith("there are: action, after, ")
    assert "takes none" in client.get(place, params={"x": "1"}).json()["hint"]


def test_without_a_source_of_its_own_a_program_is_called_api(client, application):
    client.post(COMMANDS, json=SET, headers={"x-flagstaff-source": "engine"})
    entry = application.services.ask(audit, ENGINE)[0]
    assert (entry.who, entry.source) == ("api", "api")


def test_without_the_token_nothing_is_answered(client):
    for headers in (
        {"authorization": ""},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer ü"},
    ):
        encoded = {name: value.encode() for name, value in headers.items()}
        for path in ("/flags", "/events", "/environments/dev/stream", "/nowhere"):
            answer = client.get(f"/api/v1{path}", headers=encoded)
            assert answer.status_code == 401
            assert answer.json()["code"] == "unauthorized"
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"


def test_an_unknown_flag_is_a_problem_document_with_a_hint(client):
    wrong = {**SET, "flag": "new_navigatio"}
    answer = client.post(COMMANDS, json=wrong)
    assert answer.status_code == 404
    body = answer.json()
    assert body["code"] == "not_found"
    assert body["detail"].startswith("no flag new_navigatio is defined")
    assert body["hint"] == "did you mean new_navigation?"
    assert body["type"] == "urn:flagstaff:not_found"


def test_an_issue_with_problems_is_told_line_by_line(client):
    issue = "## Rollout Steps\n\n- [ ] `/chatops run feature set new_navigation 25%`\n"
    answer = client.post(COMMANDS, json=encode_command(ImportRollout(text=issue)))
    assert answer.status_code == 422
    problems = answer.json()["problems"]
    assert problems[0]["line"] == 3
    assert "25%" in problems[0]["what"]


def test_nonsense_is_a_usage_problem(client):
    for body in ({"kind": "DropTables"}, {}, {**SET, "extra": 1}):
        answer = client.post(COMMANDS, json=body)
        assert answer.status_code == 400, body
        assert answer.json()["code"] == "usage"
    answer = client.post(COMMANDS, content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "usage"


def test_a_rollout_is_shown_with_its_steps_guards_and_plan(client, rollout):
    body = client.get(f"/api/v1/rollouts/{rollout}").json()
    assert body["phase"] == "pending"
    assert [step["id"] for step in body["steps"]] == ["set-dev", "verify", "hold"]
    assert body["steps"][1]["kind"] == "Approve"
    assert body["guards"][0]["verdict"] is None
    assert body["guards"][0]["treatment"] == {"names": ["new_job"], "total": 0, "failed": 0}
    assert body["plan"]["steps"][0]["action"]["kind"] == "SetGate"
    assert [each["id"] for each in client.get("/api/v1/rollouts").json()] == [rollout]


def test_the_evidence_of_each_guard_is_told_as_it_grew(client, application, rollout):
    point = Point(
        rollout_id=rollout,
        began=1,
        guard="renamed workers",
        poll=0,
        at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        stage=1,
        percentage=10.0,
        standing=Standing.HARMFUL,
        treatment=Arm(total=100, failed=9),
        control=Arm(total=900, failed=9),
        ratio=9.0,
        low=4.5,
        high=None,
        harm=4.5,
        harm_limit=3.0,
        safe=-8.0,
        safe_limit=2.0,
    )
    with application.services.unit(ENGINE, write=True) as unit:
        evidence.keep(unit.connection, [point])
    address = f"/api/v1/rollouts/{rollout}/evidence"
    (guard,) = client.get(address).json()
    assert (guard["guard"], guard["counts"], guard["harm_ratio"]) == (
        "renamed workers",
        "jobs",
        1.1,
    )
    assert guard["points"] == [
        {
            "at": "2026-03-01T09:00:00Z",
            "poll": 0,
            "stage": 1,
            "percentage": 10.0,
            "standing": "harmful",
            "treatment": {"total": 100, "failed": 9},
            "control": {"total": 900, "failed": 9},
            "ratio": 9.0,
            "low": 4.5,
            "high": None,
            "log_harm": 4.5,
            "log_harm_limit": 3.0,
            "log_safe": -8.0,
            "log_safe_limit": 2.0,
        }
    ]
    params = {"guard": "renamed workers", "since": "2026-03-01T10:00"}
    assert client.get(address, params=params).json()[0]["points"] == []
    assert client.get(address, params={"guard": "other"}).status_code == 404
    assert client.get(address, params={"since": "soon"}).status_code == 400


def test_the_issue_of_a_rollout_is_markdown(client, rollout):
    answer = client.get(f"/api/v1/rollouts/{rollout}/issue")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "- [ ] Does it work?" in answer.text


def test_what_has_begun_cannot_begin_again(client, rollout):
    start = encode_command(StartRollout(rollout=rollout))
    assert client.post(COMMANDS, json=start).status_code == 200
    again = client.post(COMMANDS, json=start)
    assert again.status_code == 409
    assert again.json()["code"] == "conflict"


def test_a_rollout_that_is_not_there_is_404_and_a_route_that_is_not_too(client):
    assert client.get("/api/v1/rollouts/99").json()["code"] == "not_found"
    assert client.get(f"/api/v1/rollouts/{10**30}").json()["code"] == "not_found"
    missing = client.get("/api/v1/nowhere")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert client.get(COMMANDS).status_code == 405


def test_the_audit_log_can_be_narrowed(client, rollout):
    client.post(COMMANDS, json=SET)
    client.post(COMMANDS, json=encode_command(StartRollout(rollout=rollout)))
    everything = client.get("/api/v1/audit").json()
    of_rollout = client.get("/api/v1/audit", params={"rollout": rollout}).json()
    assert len(everything) > len(of_rollout) > 0
    assert {each["rollout"] for each in of_rollout} == {rollout}
    assert len(client.get("/api/v1/audit", params={"limit": 1}).json()) == 1
    assert client.get("/api/v1/audit", params={"limit": 0}).status_code == 400


def test_a_snapshot_is_sent_again_only_when_it_changed(client):
    path = "/api/v1/environments/dev/snapshot"
    first = client.get(path)
    assert first.json()["flags"]["new_navigation"]["gates"] is None
    tag = first.headers["etag"]
    unchanged = client.get(path, headers={"if-none-match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    client.post(COMMANDS, json=SET)
    changed = client.get(path, headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.json()["version"] == first.json()["version"] + 1
    assert changed.json()["flags"]["new_navigation"]["gates"]["boolean"] is True


def test_a_snapshot_of_an_unknown_environment_names_the_known_ones(client):
    for path in ("snapshot", "stream"):
        answer = client.get(f"/api/v1/environments/moon/{path}")
        assert answer.status_code == 400
        assert "production" in answer.json()["hint"]


REPORT = {
    "application": "shop",
    "instance": "web-1",
    "kind": "web",
    "version": "9ce5c1d",
    "snapshot_version": 0,
    "environment": "dev",
    "exposures": [
        {"flag": "new_navigation", "value": True, "gate": "boolean", "count": 3},
        {"flag": "new_navigation", "value": False, "gate": "none", "count": 1},
    ],
    "unknown": [{"flag": "new_navigatoin", "count": 2}],
    "something_newer": {},
}


def report(client, **changed):
    return client.post("/api/v1/telemetry", json={**REPORT, **changed}).status_code


def test_reports_of_applications_are_summed_up(client):
    assert report(client) == 202
    assert report(client) == 202
    flag = client.get("/api/v1/flags/new_navigation").json()
    assert flag["exposures"] == [
        {"environment": "dev", "value": True, "gate": "boolean", "count": 6},
        {"environment": "dev", "value": False, "gate": "none", "count": 2},
    ]
    assert 'data-label="Times">6</td>' in client.get("/flags/new_navigation").text
    assert report(client, environment="moon") == 400
    assert report(client, exposures=[{**REPORT["exposures"][0], "count": -1}]) == 400


def test_a_report_needs_little_and_is_not_refused_for_a_long_name(client):
    least = {"instance": "x", "environment": "dev"}
    assert client.post("/api/v1/telemetry", json=least).status_code == 202
    assert report(client, version="v" * 1_000, instance="i" * 1_000) == 202
    versions = {each["version"] for each in processes_of(client)}
    assert versions == {"", "v" * 255}


def test_an_edge_sends_several_reports_at_once_and_says_how_old_they_are(client):
    reports = [{**REPORT, "instance": f"web-{number}", "seconds_ago": 40} for number in range(3)]
    body = {"reports": [*reports, {**REPORT, "environment": "moon"}]}
    answer = client.post("/api/v1/telemetry/batch", json=body)
    assert (answer.status_code, answer.json()) == (202, {"taken": 3, "left_out": 1})
    flag = client.get("/api/v1/flags/new_navigation").json()
    assert flag["exposures"][0]["count"] == 9
    (processes,) = flag["processes"]
    assert processes["processes"] == 3
    assert 40 <= processes["seconds_silent"] < 70
    wrong = {"reports": [{**REPORT, "seconds_ago": -1}]}
    assert client.post("/api/v1/telemetry/batch", json=wrong).status_code == 400


def test_a_batch_needs_a_token_for_each_of_its_environments(client, application):
    from flagstaff.commands.access_model import CreateToken  # noqa: PLC0415

    command = CreateToken(label="edge", roles=("application@dev",), machine=True)
    made = client.post(COMMANDS, json=encode_command(command)).json()["data"]["token"]
    client.headers["authorization"] = f"Bearer {made}"
    dev, production = ({**REPORT, "environment": each} for each in ("dev", "production"))
    send = lambda *reports: client.post("/api/v1/telemetry/batch", json={"reports": reports})  # noqa: E731
    assert send(dev).status_code == 202
    assert send(dev, production).status_code == 403
    client.headers["authorization"] = f"Bearer {application.token}"
    flag = client.get("/api/v1/flags/new_navigation").json()
    assert [each["environment"] for each in flag["exposures"]] == ["dev", "dev"]
    assert flag["exposures"][0]["count"] == 3


def processes_of(client):
    return client.get("/api/v1/flags/new_navigation").json()["processes"]


def test_who_has_seen_the_latest_change(client):
    for instance in ("web-1", "web-2"):
        report(client, instance=instance)
    report(client, instance="worker-1", kind="worker")
    (web, worker) = processes_of(client)
    assert (web["application"], web["kind"], web["version"]) == ("shop", "web", "9ce5c1d")
    assert (web["processes"], worker["processes"]) == (2, 1)
    version = client.get("/api/v1/environments/dev/snapshot").json()["version"]
    report(client, instance="worker-1", kind="worker", snapshot_version=version)
    client.post(COMMANDS, json=SET)
    assert [each["seen"] for each in processes_of(client)] == [False, False]
    page = client.get("/flags/new_navigation?part=processes").text
    assert page.count("not yet") == 2
    assert "every 2s" in page
    for instance in ("web-1", "web-2"):
        report(client, instance=instance, snapshot_version=version + 1)
    web, worker = processes_of(client)
    assert (web["snapshot_version"], web["seen"], web["processes"]) == (version + 1, True, 2)
    assert worker["seen"] is False
    assert web["seconds_silent"] < 60


def test_a_flag_that_is_asked_for_and_not_defined_is_a_notice(client):
    assert "nobody has defined" not in client.get("/flags").text
    report(client)
    report(client)
    page = client.get("/flags").text
    assert "nobody has defined" in page
    assert "<code>new_navigatoin</code> 4 times by shop" in page
    assert "Did the code mean <code>new_navigation</code>?" in page
    report(client, unknown=[{"flag": "new_navigation", "count": 1}])
    assert "<code>new_navigation</code> 1 time" not in client.get("/flags").text


def test_everything_is_described_without_a_token(client):
    described = client.get("/api/v1/openapi.json", headers={"authorization": ""}).json()
    assert {"/commands", "/rollouts/{number}", "/flags", "/telemetry"} <= set(described["paths"])


def test_a_read_only_command_can_be_sent_as_well(client):
    body = encode_command(ListFlags(environments=("dev",)))
    assert "new_navigation: not set" in client.post(COMMANDS, json=body).json()["text"]


def test_every_error_of_the_tree_has_a_status():
    from flagstaff import errors  # noqa: PLC0415

    kinds = [errors.FlagstaffError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    for kind in kinds:
        error = kind.__new__(kind)
        assert 400 <= status_of(error) <= 503


def test_the_server_says_that_it_is_well(client):
    assert client.get("/healthz").json() == {"ok": True}
    assert client.get("/readyz").json() == {"ok": True}


def test_while_the_database_is_away_the_last_good_snapshot_is_served(client, monkeypatch):
    path = "/api/v1/environments/dev/snapshot"
    before = client.get(path)
    assert client.post("/environments/dev/ofrep/v1/evaluate/flags", json={}).status_code == 200

    def gone(*_):
        raise Unavailable("the database is away")

    monkeypatch.setattr("flagstaff.server.api.environments.encoded_snapshot", gone)
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (200, before.json())
    same = client.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert same.status_code == 304
    assert client.get("/api/v1/environments/bogus/snapshot").status_code == 400
