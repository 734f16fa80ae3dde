"""Does a client of a repository's own files answer, and follow the files?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from time import monotonic, sleep

import pytest

from flagstaff import Client, Gate
from flagstaff.errors import DefinitionError, SnapshotError
from flagstaff.flags.murmur import normalized


def define(folder, name, *, default=False, kind="ops"):
    path = folder / kind / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"name: {name}\ntype: {kind}\ngroup: group::search\nmilestone: '16.9'\n"
        "introduced_by_url: https://gitlab.example.com/a/b/-/merge_requests/1\n"
        f"default_enabled: {str(default).lower()}\n"
    )
    # A second write within the clock's resolution must still be seen as one.
    os.utime(path, ns=(define.tick, define.tick))
    define.tick += 1_000_000_000


define.tick = 1_700_000_000_000_000_000


def soon(holds):
    end = monotonic() + 60
    while not holds():
        assert monotonic() < end
        sleep(0.01)


@pytest.fixture
def folder(tmp_path):
    define(tmp_path / "flags", "a")
    define(tmp_path / "flags", "b", default=True)
    return tmp_path / "flags"


def test_a_folder_that_is_not_there_is_a_problem_until_it_is(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    with closing(Client.from_files("config/flagz", watch=0.02)) as flags:
        problem = f"no folder {tmp_path / 'config/flagz'}"
        assert flags.readiness().problem == problem
        assert problem in caplog.messages
        (tmp_path / "config/flagz").mkdir(parents=True)
        soon(lambda: not flags.readiness().problem)
        define(tmp_path / "config/flagz", "a", default=True)
        soon(lambda: flags.is_enabled("a"))


def test_definitions_answer_with_their_defaults(folder):
    with closing(Client.from_files(folder, environment="dev", watch=0)) as flags:
        assert flags.is_disabled("a")
        assert flags.is_enabled("b")
        assert flags.evaluate("b").gate is Gate.DEFAULT
        assert flags.flags() == {"a": "ops", "b": "ops"}
        assert repr(flags).startswith("<flagstaff.Client dev version 1, fixed: files ")


def test_variants_prerequisites_and_bucketing_of_the_definition_count(folder, tmp_path):
    with (folder / "ops/a.yml").open("a") as file:
        file.write(
            "bucketing: murmur3\nvariants:\n  - {name: blue, payload: {hex: '#00f'}}\n"
            "prerequisites:\n  - {flag: b}\n"
        )
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"a": {"percentage_of_actors": "50"}}))
    with closing(Client.from_files(folder, state=state, watch=0)) as flags:
        moved = {who for who in map(str, range(100)) if flags.is_enabled("a", who)}
        assert moved == {who for who in map(str, range(100)) if normalized("a", who) <= 50}
        who = min(moved)
        assert (flags.variant("a", who), flags.payload("a", who)) == ("blue", {"hex": "#00f"})
    state.write_text(json.dumps({"a": True, "b": False}))
    with closing(Client.from_files(folder, state=state, watch=0)) as flags:
        assert flags.evaluate("a", who).gate is Gate.PREREQUISITE


def test_a_state_file_sets_flags(folder, tmp_path, monkeypatch):
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"a": {"percentage_of_actors": "100"}, "b": False}))
    with closing(Client.from_files(str(folder), state=state, watch=0)) as flags:
        assert flags.is_enabled("a", "User:1")
        assert flags.is_disabled("b")
    monkeypatch.setenv("FLAGSTAFF_STATE", str(state))
    with closing(Client.from_files(folder, watch=0)) as flags:
        assert flags.is_disabled("b")


def test_changed_files_are_followed_and_broken_ones_leave_all_as_it_was(folder, tmp_path):
    state = tmp_path / "state.json"
    with closing(Client.from_files(folder, state=state, watch=0.02)) as flags:
        state.write_text('{"a": true}')
        soon(lambda: flags.is_enabled("a"))
        define(folder, "c", default=True)
        soon(lambda: flags.is_enabled("c"))
        state.write_text('{"a": tru')
        soon(lambda: "not JSON" in flags.readiness().problem)
        assert flags.is_enabled("a")
        (folder / "ops" / "c.yml").write_text("name: [")
        soon(lambda: "c.yml" in flags.readiness().problem)
        assert flags.is_enabled("c")
        state.unlink()
        define(folder, "c", default=False)
        soon(lambda: flags.is_disabled("c"))
        assert flags.is_disabled("a")
        assert flags.readiness().problem == ""


def test_broken_files_are_refused_at_the_start(folder, tmp_path):
    state = tmp_path / "state.json"
    state.write_text('{"nope": true}')
    with pytest.raises(SnapshotError, match="'nope' has no definition"):
        Client.from_files(folder, state=state)
    (folder / "ops" / "a.yml").write_text("name: a\nname: a\n")
    with pytest.raises(DefinitionError, match=r"a\.yml"):
        Client.from_files(folder)


def test_a_forked_child_follows_the_files(folder, tmp_path):
    state = tmp_path / "state.json"
    program = f"""
import os, time, flagstaff
flags = flagstaff.Client.from_files({str(folder)!r}, state={str(state)!r}, watch=0.02)
pid = os.fork()
if pid == 0:
    open({str(state)!r}, "w").write('{{"a": true}}')
    end = time.monotonic() + 60
    while not flags.is_enabled("a") and time.monotonic() < end:
        time.sleep(0.01)
    os._exit(0 if flags.is_enabled("a") else 1)
raise SystemExit(os.waitpid(pid, 0)[1])
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
