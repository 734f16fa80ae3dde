"""Does a client follow a real server, and live on when it is away or talks nonsense?"""

from __future__ import annotations

import json
import logging
from contextlib import closing
from decimal import Decimal
from time import monotonic, sleep

import pytest
from sdk_standin import TOKEN, StandIn, standin

from flagstaff import Client, ErrorCode, Mode
from flagstaff.errors import NotTaken, Unavailable, UsageError
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.sdk.transport import Address, Transport
from ports import free_port

pytestmark = pytest.mark.enable_socket

PATIENCE = 60.0


@pytest.fixture
def server():
    with standin() as running:
        running.set(a=False)
        yield running


@pytest.fixture
def connect(tmp_path, monkeypatch):
    # What a busy machine needs to begin and to send its last report is no fault.
    monkeypatch.setattr("flagstaff.sdk.client.CLOSE_TIMEOUT", PATIENCE)
    clients = []

    def connecting(url, **options):
        chosen = {
            "token": TOKEN,
            "environment": "test",
            "cache": tmp_path / "flags.json",
            "poll_interval": 0.1,
            "flush_interval": 0.1,
            "wait": PATIENCE,
            **options,
        }
        clients.append(Client.connect(url, **chosen))
        return clients[-1]

    yield connecting
    for client in clients:
        client.close()


def soon(holds):
    end = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.01)


def test_a_change_reaches_the_client_through_the_stream(server, connect):
    flags = connect(server.url)
    handle = flags.flag("a")
    assert not flags.is_enabled("a")
    assert flags.readiness().mode is Mode.LIVE
    server.set(a=True)
    soon(lambda: flags.is_enabled("a"))
    assert handle()
    assert flags.readiness().version == server.snapshot.version
    assert not [each for each in server.requests if each[0] == "snapshot"]


def test_a_change_event_adds_replaces_and_removes(server, connect):
    flags = connect(server.url)
    server.change(7, {"b": Flag(name="b", gates=Gates(boolean=True)).to_json()})
    soon(lambda: flags.is_enabled("b"))
    server.change(6, {"b": None})
    server.change(8, {"a": None})
    soon(lambda: flags.readiness().version == 8)
    assert set(flags.flags()) == {"b"}


def test_what_a_change_makes_is_kept_as_the_server_writes_it(server, connect, tmp_path):
    flags = connect(server.url)
    server.change(3, {"new": {**Flag(name="new", gates=Gates(boolean=True)).to_json()}})
    soon(lambda: flags.is_enabled("new"))
    wanted = flags.holder.snapshot.to_json()
    kept = tmp_path / "flags.json"
    written = json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()
    soon(lambda: kept.read_bytes() == written)


def test_a_malformed_change_is_put_right_by_a_whole_snapshot(server, connect):
    flags = connect(server.url)
    server.change(7, {"b": {"gates": "all"}})
    soon(lambda: ("snapshot", 200) in server.requests)
    soon(lambda: flags.readiness().mode is Mode.LIVE)
    assert set(flags.flags()) == {"a"}


def test_a_malformed_snapshot_keeps_the_last_good_one_and_is_reported(server, connect, caplog):
    server.set(a=True)
    flags = connect(server.url)
    with caplog.at_level(logging.WARNING, "flagstaff"):
        server.say('event: snapshot\ndata: {"format": 1, "flags": {"a": 3}}\n\n')
        soon(lambda: flags.readiness().problem)
    assert "malformed snapshot was refused" in flags.readiness().problem
    assert "malformed snapshot was refused" in caplog.text
    assert flags.is_enabled("a")
    server.set(b=True)
    soon(lambda: flags.is_enabled("b"))
    assert flags.readiness().problem == ""


def test_another_environments_snapshot_is_refused(server, connect):
    flags = connect(server.url)
    server.say('event: snapshot\ndata: {"format":1,"environment":"x","version":9,"flags":{}}\n\n')
    soon(lambda: "is of 'x', not of 'test'" in flags.readiness().problem)
    assert set(flags.flags()) == {"a"}


def test_polling_with_etag_while_the_stream_is_refused(server, connect):
    server.stream_status = 503
    flags = connect(server.url)
    soon(lambda: flags.readiness().mode is Mode.POLLING)
    assert "answered 503" in flags.readiness().problem
    soon(lambda: ("snapshot", 304) in server.requests)
    server.set(a=True)
    soon(lambda: flags.is_enabled("a"))
    server.stream_status = 200
    soon(lambda: flags.readiness().mode is Mode.LIVE)


def test_a_broken_stream_is_taken_up_again(server, connect):
    flags = connect(server.url)
    server.break_streams()
    server.set(a=True)
    soon(lambda: flags.is_enabled("a"))
    soon(lambda: flags.readiness().mode is Mode.LIVE)


def test_a_server_that_restarts_is_found_again(server, connect):
    flags = connect(server.url)
    server.close()
    soon(lambda: flags.readiness().mode is Mode.STALE)
    assert flags.is_disabled("a")
    with closing(StandIn(server.port)) as again:
        again.set(a=True)
        soon(lambda: flags.is_enabled("a"))


def test_a_start_without_the_server_answers_from_disk(server, connect, caplog):
    server.set(a=True)
    connect(server.url).close()
    server.close()
    began = monotonic()
    flags = connect(server.url, wait=10 * PATIENCE)
    assert monotonic() - began < PATIENCE
    assert flags.is_enabled("a")
    soon(lambda: flags.readiness().mode is Mode.STALE)
    soon(lambda: "does not answer" in caplog.text)


def test_a_start_without_server_and_disk_answers_defaults(connect, unused_port):
    flags = connect(f"http://127.0.0.1:{unused_port}", wait=0.5)
    assert flags.is_enabled("a", default=True)
    assert flags.is_disabled("a")
    assert flags.evaluate("a").error is ErrorCode.PROVIDER_NOT_READY
    found = flags.readiness()
    assert (found.ready, found.mode) == (False, Mode.STARTING)
    assert found.unanswered == {}


@pytest.fixture
def unused_port():
    return free_port()


def test_a_spoilt_file_on_disk_is_no_obstacle(server, connect, tmp_path):
    (tmp_path / "flags.json").write_text("{")
    server.set(a=True)
    assert connect(server.url).is_enabled("a")


def test_a_wrong_token_is_named(server, connect, caplog):
    flags = connect(server.url, token="wrong", wait=0.5)
    soon(lambda: "refuses the token (401)" in flags.readiness().problem)
    assert "wrong" not in caplog.text.replace("went wrong", "")


@pytest.fixture
def no_token_around(monkeypatch):
    monkeypatch.delenv("FLAGSTAFF_TOKEN", raising=False)
    monkeypatch.delenv("FLAGSTAFF_TOKEN_FILE", raising=False)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("another", "refuses the token (401): the token in {file} is wrong"),
        ("", "refuses the token (401): the token in {file} is missing"),
        (None, "no token was given: give token_file, or set FLAGSTAFF_TOKEN_FILE"),
    ],
)
@pytest.mark.usefixtures("no_token_around")
def test_it_is_said_which_token_was_shown_or_none(server, connect, tmp_path, caplog, token, words):
    file = tmp_path / "flags.token"
    if token is not None:
        file.write_text(token)
    flags = connect(server.url, token=None, token_file=file if token is not None else None, wait=0)
    words = words.format(file=file)
    soon(lambda: words in flags.readiness().problem)
    assert words in caplog.text


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            b'{"detail": "there is no environment prod", "hint": "this project has\\n dev"}',
            "/snapshot answered 404: there is no environment prod; this project has dev",
        ),
        (b"<html>", "/environments/prod/snapshot answered 404"),
        (b'["x"]', "/environments/prod/snapshot answered 404"),
        (b'{"detail": 5}', "/environments/prod/snapshot answered 404"),
    ],
)
def test_the_words_of_the_server_reach_whoever_looks(server, connect, caplog, refusal, words):
    server.refusal = refusal
    flags = connect(server.url, environment="prod", wait=0)
    soon(lambda: flags.readiness().problem.endswith(words))
    assert words in caplog.text


def test_the_source_knows_when_the_server_last_vouched_for_the_snapshot(server, connect):
    source = connect(server.url)._source
    first = source.contact
    assert first is not None
    server.set(a=True)
    soon(lambda: source.contact > first)
    server.say('event: snapshot\ndata: {"format": 99}\n\n')
    soon(lambda: not source._current)
    refused = source.contact
    server.say(": still here\n\n")
    sleep(0.3)
    assert source.contact == refused
    server.set(a=False)
    soon(lambda: source.contact > refused)


def test_somebody_elses_token_can_be_asked_about(server):
    transport = Transport(Address(url=server.url, environment="test"))
    assert transport.accepts(TOKEN, "")
    assert transport.accepts(TOKEN, f'"{server.snapshot.version}"')
    assert not transport.accepts("wrong", "")
    nowhere = Transport(Address(url=server.url, environment="nowhere"))
    with pytest.raises(NotTaken):
        nowhere.accepts(TOKEN, "")
    server.poll_status = 503
    with pytest.raises(Unavailable):
        transport.accepts(TOKEN, "")
    server.poll_status = 429
    with pytest.raises(Unavailable) as later:
        transport.accepts(TOKEN, "")
    assert not isinstance(later.value, NotTaken)


def test_a_token_file_may_be_replaced_while_running(server, connect, tmp_path):
    path = tmp_path / "token"
    path.write_text("old\n")
    flags = connect(server.url, token=None, token_file=path, wait=0.5)
    assert not flags.readiness().ready
    path.write_text(f"{TOKEN}\n")
    soon(lambda: flags.readiness().ready)


def test_a_missing_token_file_is_named(server, connect, tmp_path):
    flags = connect(server.url, token=None, token_file=tmp_path / "nope", wait=0.5)
    soon(lambda: "nope cannot be read" in flags.readiness().problem)


def test_reports_carry_the_heartbeat_and_the_counts(server, connect):
    server.set(a=True, b=Decimal(50))
    flags = connect(server.url, application="shop", kind="worker", version="abc123")
    for number in range(1_000):
        flags.is_enabled("a")
        flags.is_enabled("b", f"User:{number}")
    flags.close()
    report = server.reports[-1]
    assert {key: report[key] for key in ("application", "kind", "version", "environment")} == {
        "application": "shop",
        "kind": "worker",
        "version": "abc123",
        "environment": "test",
    }
    assert report["snapshot_version"] == server.snapshot.version
    assert report["unknown"] == []
    assert len({each["instance"] for each in server.reports}) == 1
    counted = [each for report in server.reports for each in report["exposures"]]
    assert sum(each["count"] for each in counted if each["flag"] == "a") == 1_000
    assert {(each["value"], each["gate"]) for each in counted if each["flag"] == "b"} == {
        (True, "percentage_of_actors"),
        (False, "none"),
    }
    assert sum(each["count"] for each in counted if each["flag"] == "b") == 1_000


def test_reports_say_what_was_asked_for_and_is_unknown(server, connect):
    server.set(a=True)
    flags = connect(server.url)
    for name in ("nope", "nope", "\ud800"):
        flags.is_enabled(name)
    flags.close()
    assert [each for report in server.reports for each in report["unknown"]] == [
        {"flag": "nope", "count": 2}
    ]
    assert server.reports[-1]["version"] == ""


def test_reports_that_fail_are_dropped_and_counted(server, connect):
    server.telemetry_status = 500
    flags = connect(server.url)
    flags.is_enabled("a")
    soon(lambda: flags.readiness().dropped == 1)
    server.telemetry_status = 204
    soon(lambda: server.reports)
    assert not any(report["exposures"] for report in server.reports)


def test_close_ends_quickly_and_flags_keep_answering(server, connect):
    server.set(a=True)
    flags = connect(server.url)
    began = monotonic()
    flags.close()
    assert monotonic() - began < PATIENCE / 2, "it waited for the stream"
    assert flags.readiness().mode is Mode.CLOSED
    assert flags.is_enabled("a")
    server.set(a=False)
    sleep(0.2)
    assert flags.is_enabled("a")


def test_the_environment_may_say_everything(server, monkeypatch, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("FLAGSTAFF_URL", server.url)
    monkeypatch.setenv("FLAGSTAFF_ENVIRONMENT", "test")
    monkeypatch.setenv("FLAGSTAFF_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("FLAGSTAFF_CACHE_DIR", str(tmp_path / "cache"))
    server.set(a=True)
    with closing(Client.connect()) as flags:
        assert flags.is_enabled("a")
        assert "stream http://127.0.0.1" in repr(flags)
        assert str(tmp_path / "cache") in repr(flags)


def test_connecting_without_an_address_says_what_to_set(monkeypatch):
    monkeypatch.delenv("FLAGSTAFF_URL", raising=False)
    monkeypatch.delenv("FLAGSTAFF_ENVIRONMENT", raising=False)
    with pytest.raises(UsageError, match="FLAGSTAFF_URL"):
        Client.connect()
    with pytest.raises(UsageError, match="FLAGSTAFF_ENVIRONMENT"):
        Client.connect("http://127.0.0.1:1")


def test_many_counts_are_sent_in_several_reports(server, connect):
    names = [f"flag_{number}" for number in range(2_500)]
    server.set(**dict.fromkeys(names, True))
    flags = connect(server.url, flush_interval=60)
    for name in names:
        flags.is_enabled(name)
    flags.close()
    sizes = [len(report["exposures"]) for report in server.reports]
    assert max(sizes) <= 1_000
    assert sum(sizes) == 2_500
