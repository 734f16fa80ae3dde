"""Does a snapshot travel unchanged, and is a malformed one refused whole?"""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest

from flagstaff.errors import SnapshotError
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates, State
from flagstaff.flags.snapshot import Snapshot, SnapshotReader, parse_json

SNAPSHOT = Snapshot(
    environment="production",
    version=12,
    flags={
        "a": Flag(name="a", type="ops", default=True),
        "b": Flag(name="b", gates=Gates(boolean=True)),
    },
    in_rollout=frozenset({"b"}),
)


def test_json_round_trip():
    assert Snapshot.from_json(parse_json(json.dumps(SNAPSHOT.to_json()))) == SNAPSHOT


def test_wire_form():
    data = SNAPSHOT.to_json()
    assert (data["format"], data["environment"], data["version"]) == (1, "production", 12)
    assert data["flags"]["a"] == {"type": "ops", "default": True, "gates": None}


def test_readers_from_before_are_told_nothing_new_while_there_is_no_rollout():
    assert "in_rollout" not in replace(SNAPSHOT, in_rollout=frozenset()).to_json()


def test_a_change_says_which_flags_are_in_a_rollout_only_when_that_changed():
    same = SNAPSHOT.changed_by({"version": 13, "flags": {}})
    assert same.in_rollout == {"b"}
    over = SNAPSHOT.changed_by({"version": 13, "flags": {}, "in_rollout": []})
    assert over.in_rollout == frozenset()


def test_flags_cannot_be_changed_in_place():
    with pytest.raises(TypeError):
        SNAPSHOT.flags["c"] = Flag(name="c")


def test_a_snapshot_survives_pickling():
    assert pickle.loads(pickle.dumps(SNAPSHOT)) == SNAPSHOT  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"format": 2}, "format"),
        ({"format": None}, "format"),
        ({"environment": ""}, "environment"),
        ({"version": "12"}, "version"),
        ({"version": -1}, "version"),
        ({"version": True}, "version"),
        ({"flags": []}, "flags"),
        ({"in_rollout": "b"}, "in_rollout"),
        ({"flags": {"x": None}}, "flag 'x'"),
        ({"flags": {"x": {"default": "yes"}}}, "flag 'x': default"),
        ({"flags": {"x": {"gates": {"actors": [3]}}}}, "flag 'x': actors"),
        ({"flags": {"x": {"shape": "round"}}}, "flag 'x': flag"),
        ({"flags": {"": {}}}, "flag ''"),
    ],
)
def test_malformed_snapshots_name_the_place(change, place):
    with pytest.raises(SnapshotError) as caught:
        Snapshot.from_json({**SNAPSHOT.to_json(), **change})
    assert caught.value.message.startswith(place)


@pytest.mark.parametrize("text", ["", "{", "NaN,", "[" * 100_000, b"\xff"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(SnapshotError):
        parse_json(text)


def test_a_change_adds_replaces_and_removes():
    flag = Flag(name="c", gates=Gates()).to_json()
    after = SNAPSHOT.changed_by({"version": 14, "flags": {"a": None, "c": flag}})
    assert set(after.flags) == {"b", "c"}
    assert after.version == 14
    assert after.flags["b"] is SNAPSHOT.flags["b"]


def test_a_reader_keeps_flags_that_are_written_as_before():
    reader = SnapshotReader()
    first = reader.read(SNAPSHOT.to_json())
    data = SNAPSHOT.to_json()
    data["flags"]["a"]["default"] = False
    second = reader.read(data)
    assert second.flags["b"] is first.flags["b"]
    assert second.flags["a"].default is False


def test_a_reader_that_refused_goes_on_from_the_last_good_snapshot():
    reader = SnapshotReader()
    first = reader.read(SNAPSHOT.to_json())
    with pytest.raises(SnapshotError):
        reader.read({**SNAPSHOT.to_json(), "flags": {"a": 3}})
    assert reader.read(SNAPSHOT.to_json()).flags["a"] is first.flags["a"]


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0)])
def test_a_reader_tells_numbers_from_truth(before, after):
    reader = SnapshotReader()

    def read(value):
        flag = Flag(name="a", gates=Gates(expression={"Equal": [value, value]}))
        snapshot = Snapshot(environment="dev", version=1, flags={"a": flag})
        return reader.read(snapshot.to_json()).flags["a"].gates.expression["Equal"][0]

    assert type(read(before)) is type(before)
    assert type(read(after)) is type(after)


@pytest.mark.parametrize("version", [11, 12])
def test_a_change_that_is_not_newer_is_refused(version):
    with pytest.raises(SnapshotError):
        SNAPSHOT.changed_by({"version": version, "flags": {}})


@pytest.mark.parametrize(
    ("flag", "state"),
    [
        (Flag(name="x"), State.OFF),
        (Flag(name="x", default=True), State.ON),
        (Flag(name="x", default=True, gates=Gates()), State.OFF),
    ],
)
def test_an_explicit_off_overrides_a_default_of_on(flag, state):
    assert flag.state is state
