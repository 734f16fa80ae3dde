"""Does a snapshot travel unchanged, and is a malformed one refused whole?"""

from __future__ import annotations

import json
import pickle

import pytest

from flagstaff.errors import SnapshotError
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates, State
from flagstaff.flags.snapshot import Snapshot, parse_json

SNAPSHOT = Snapshot(
    environment="production",
    version=12,
    flags={
        "a": Flag(name="a", type="ops", default=True),
        "b": Flag(name="b", gates=Gates(boolean=True)),
    },
)


def test_json_round_trip():
    assert Snapshot.from_json(parse_json(json.dumps(SNAPSHOT.to_json()))) == SNAPSHOT


def test_wire_form():
    data = SNAPSHOT.to_json()
    assert (data["format"], data["environment"], data["version"]) == (1, "production", 12)
    assert data["flags"]["a"] == {"type": "ops", "default": True, "gates": None}


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
