"""Do the client's small parts do what they promise?"""

from __future__ import annotations

import json
import subprocess
import sys
import types

import pytest

from flagstaff.errors import SnapshotError, UsageError
from flagstaff.flags.evaluation import Gate
from flagstaff.flags.flag import Flag
from flagstaff.flags.snapshot import Snapshot
from flagstaff.sdk.backoff import Backoff
from flagstaff.sdk.disk import Disk, default_path
from flagstaff.sdk.exposures import Exposures, Tally
from flagstaff.sdk.scopes import instance_actor, process_actor, request_actor, request_scope
from flagstaff.sdk.sse import Event, Parser
from flagstaff.sdk.transport import Address
from flagstaff.sdk.uwsgi import tell_after_fork, warn_without_threads

SNAPSHOT = Snapshot(environment="dev", version=3, flags={"a": Flag(name="a")})


BODY = json.dumps(SNAPSHOT.to_json()).encode()


def test_a_tally_counts_what_is_new():
    tally = Tally()
    taken = []
    for hits in (0, 3, 0, 2):
        for _ in range(hits):
            tally.hit()
        taken.append(tally.take())
    assert taken == [0, 3, 0, 2]


def test_counts_of_removed_flags_are_forgotten_after_their_last_report():
    exposures = Exposures()
    exposures.counter("gone", True, Gate.BOOLEAN)()
    assert [each.count for each in exposures.take(set())] == [1]
    assert exposures.take(set()) == []
    assert exposures._tallies == {}


def test_the_same_three_share_a_counter():
    exposures = Exposures()
    exposures.counter("a", True, Gate.BOOLEAN)()
    exposures.counter("a", True, Gate.BOOLEAN)()
    exposures.counter("a", False, Gate.NONE)()
    taken = exposures.take({"a"})
    assert [each.to_json() for each in taken] == [
        {"flag": "a", "value": True, "gate": "boolean", "count": 2},
        {"flag": "a", "value": False, "gate": "none", "count": 1},
    ]
    exposures.drop(3)
    assert exposures.dropped == 3


def test_unknown_flags_are_taken_once():
    exposures = Exposures()
    for flag in ("nope", "nope", "failing"):
        exposures.unanswered(flag)
    assert exposures.take_unknown({"failing"}) == {"nope": 2}
    assert exposures.take_unknown({"failing"}) == {}
    exposures.unanswered("nope")
    assert exposures.take_unknown({"failing"}) == {"nope": 1}
    assert exposures.unanswered_counts() == {"nope": 3, "failing": 1}
    exposures.after_fork()
    exposures.unanswered("nope")
    assert exposures.take_unknown({}) == {"nope": 1}


STREAM = (
    b": keep-alive\n\n"
    b"event: snapshot\r\nid: 7\r\ndata: {\r\ndata:  1}\r\n\r\n"
    b"data: plain\n\n"
    b"event: nothing\n\n"
    b"retry: 100\nevent: change\ndata: \xc3\xbc\n\n"
    b"event: snapshot\ndata: cut off"
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_the_bytes_arrive(size):
    parser = Parser()
    pieces = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    events = [event for piece in pieces for event in parser.feed(piece)]
    assert events == [
        Event(kind="comment", data="keep-alive"),
        Event(kind="snapshot", data="{\n 1}", id="7"),
        Event(kind="message", data="plain", id="7"),
        Event(kind="change", data="ü", id="7"),
    ]


def test_a_stream_that_is_no_text_or_never_ends_is_refused(monkeypatch):
    with pytest.raises(SnapshotError, match="UTF-8"):
        list(Parser().feed(b"data: \xff\n"))
    monkeypatch.setattr("flagstaff.sdk.sse.LIMIT", 100)
    with pytest.raises(SnapshotError, match="larger"):
        list(Parser().feed(b"data: " + b"x" * 200))


def test_delays_double_up_to_the_longest_and_start_over():
    backoff = Backoff(1, 8)
    delays = [backoff.next() for _ in range(6)]
    for delay, whole in zip(delays, [1, 2, 4, 8, 8, 8], strict=True):
        assert whole / 2 <= delay <= whole
    backoff.reset()
    assert backoff.next() <= 1
    assert len({Backoff(1, 8).next() for _ in range(20)}) > 1


def test_disk_keeps_the_last_snapshot(tmp_path):
    disk = Disk(tmp_path / "deep" / "flags.json")
    assert disk.read("dev") is None
    disk.write(BODY)
    assert disk.read("dev") == SNAPSHOT
    assert disk.read("production") is None
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["flags.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 9}'])
def test_a_spoilt_file_is_ignored_with_a_warning(tmp_path, text, caplog):
    path = tmp_path / "flags.json"
    path.write_text(text)
    assert Disk(path).read("dev") is None
    assert "holds no snapshot" in caplog.text


def test_a_full_or_forbidden_disk_is_warned_about_once(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    disk = Disk(tmp_path / "file" / "flags.json")
    disk.write(BODY)
    disk.write(BODY)
    assert caplog.text.count("cannot be kept") == 1


def test_servers_and_environments_have_their_own_files(monkeypatch, tmp_path):
    monkeypatch.setenv("FLAGSTAFF_CACHE_DIR", str(tmp_path))
    paths = {default_path(url, env) for url in ("http://a", "http://b") for env in ("dev", "prod")}
    assert len(paths) == 4
    assert {path.parent for path in paths} == {tmp_path}
    monkeypatch.delenv("FLAGSTAFF_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert default_path("http://a", "dev").parent == tmp_path / "cache" / "flagstaff"


def test_a_user_without_a_home_keeps_nothing(monkeypatch):
    for name in ("FLAGSTAFF_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _uid: (_ for _ in ()).throw(KeyError("nobody")))
    assert default_path("http://a", "dev") is None


def test_a_request_has_one_actor_and_outside_each_call_has_its_own():
    assert request_actor() != request_actor()
    with request_scope() as outer:
        assert request_actor() == outer == request_actor()
        with request_scope("5f0c"):
            assert request_actor() == "Request:5f0c"
        assert request_actor() == outer


def test_process_and_instance_actors(monkeypatch):
    assert process_actor() == process_actor()
    assert process_actor().startswith("Process:")
    monkeypatch.setenv("FLAGSTAFF_INSTANCE", "eu")
    assert instance_actor() == "Instance:eu"


@pytest.mark.parametrize("url", ["", "flags.example.com", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(UsageError, match="is not the address"):
        Address(url=url, environment="dev")


def test_an_address_does_not_print_its_token():
    assert "secret" not in repr(Address(url="http://x", environment="dev", token="secret"))


PROGRAM = """
import json, sys
before = set(sys.modules)
import flagstaff
flags = flagstaff.Client.memory({"a": True})
assert flags.is_enabled("a", "User:1")
names = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(names - set(sys.stdlib_module_names) - {"flagstaff"})))
"""


def test_importing_and_asking_loads_no_third_party_module():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert json.loads(run.stdout) == []


def test_public_names_are_listed_and_there():
    import flagstaff  # noqa: PLC0415 - its own names are the subject

    assert set(flagstaff.__all__) == set(flagstaff._HOMES)
    assert all(getattr(flagstaff, name) is not None for name in flagstaff.__all__)
    assert set(flagstaff.__all__) <= set(dir(flagstaff))
    with pytest.raises(AttributeError):
        flagstaff.nope  # noqa: B018 - the access is the test


@pytest.fixture
def uwsgi(monkeypatch):
    module = types.ModuleType("uwsgi")
    module.opt = {}
    monkeypatch.setitem(sys.modules, "uwsgi", module)
    monkeypatch.setitem(sys.modules, "uwsgidecorators", None)
    return module


def test_uwsgi_tells_us_after_those_who_asked_before(uwsgi):
    told = []
    uwsgi.post_fork_hook = lambda: told.append("earlier")
    tell_after_fork(lambda: told.append("ours"))
    uwsgi.post_fork_hook()
    assert told == ["earlier", "ours"]


def test_uwsgis_decorators_share_the_hook(uwsgi, monkeypatch):
    chain = []
    decorators = types.ModuleType("uwsgidecorators")
    decorators.postfork = chain.append
    monkeypatch.setitem(sys.modules, "uwsgidecorators", decorators)
    tell_after_fork(print)
    assert chain == [print]
    assert not hasattr(uwsgi, "post_fork_hook")


def test_uwsgi_without_threads_is_warned_about(uwsgi, caplog):
    uwsgi.opt["enable-threads"] = b"true"
    warn_without_threads()
    assert caplog.text == ""
    uwsgi.opt.clear()
    warn_without_threads()
    assert "--enable-threads" in caplog.text
