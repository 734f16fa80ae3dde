"""What clients of flagd are told: states, defaults, and why something is closed."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest

from flagstaff.errors import MissingExtra
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.variant import Variant
from flagstaff.server.app import build
from flagstaff.server.compat.flagd import _selected
from flagstaff.server.compat.flagd_flags import DEEPEST, configuration, flag_json
from flagstaff.server.settings import Settings

BLUE, RED = Variant(name="blue", payload={"hex": "#00f"}), Variant(name="red")


def told(*flags):
    by_name = {each.name: each for each in flags}
    return flag_json(flags[0], by_name)


@pytest.mark.parametrize(
    ("flag", "word"),
    [
        (Flag(name="x"), "off"),
        (Flag(name="x", default=True), "on"),
        (Flag(name="x", default=True, gates=Gates()), "off"),
        (Flag(name="x", gates=Gates(boolean=True)), "on"),
        (Flag(name="x", gates=Gates(percentage_of_time=Decimal(100))), "on"),
        (Flag(name="x", gates=Gates(boolean=True), prerequisites=(("gone", False),)), "on"),
        (Flag(name="x", gates=Gates(boolean=True), prerequisites=(("gone", True),)), "off"),
    ],
)
def test_a_plain_flag_is_always_enabled_so_that_no_callers_default_opens_it(flag, word):
    variants = {"on": True, "off": False}
    assert told(flag) == {"state": "ENABLED", "variants": variants, "defaultVariant": word}


def test_a_flag_with_variants_that_is_off_leaves_the_value_to_the_caller():
    flag = Flag(name="x", variants=(BLUE, RED))
    assert told(flag)["state"] == "DISABLED"
    assert told(flag)["variants"] == {"blue": {"hex": "#00f"}, "red": "red"}
    one = Flag(name="x", gates=Gates(boolean=True), variants=(BLUE,))
    assert (told(one)["state"], told(one)["defaultVariant"]) == ("ENABLED", "blue")


def test_actors_that_a_variant_is_pinned_to_get_it_with_any_bucketing():
    pinned = Variant(name="blue", actors=frozenset({"User:1"}))
    found = told(Flag(name="x", gates=Gates(boolean=True), variants=(pinned, RED)))
    choice = {"if": [{"in": [{"var": "targetingKey"}, ["User:1"]]}, "blue", None]}
    assert found["targeting"] == {"if": [True, choice, None]}
    assert "crc32" in found["metadata"]["closed"]


def test_weights_beyond_what_flagd_adds_up_are_closed():
    heavy = (Variant(name="a", weight=2**31), Variant(name="b"))
    flag = Flag(name="x", gates=Gates(boolean=True), variants=heavy, bucketing=Bucketing.FLAGD)
    assert "weights" in told(flag)["metadata"]["closed"]


def test_what_is_closed_is_said_once_each_also_for_prerequisites():
    share = Gates(percentage_of_actors=Decimal(5), groups=frozenset({"staff"}))
    asked = Flag(name="asked", gates=share, bucketing=Bucketing.MURMUR3)
    found = told(Flag(name="x", default=True, prerequisites=(("asked", True),)), asked)
    assert found["defaultVariant"] == "off"
    assert (
        "of its prerequisite asked: its share of actors is picked by murmur3"
        in (found["metadata"]["closed"])
    )
    opposite = told(Flag(name="x", default=True, prerequisites=(("asked", False),)), asked)
    assert opposite["defaultVariant"] == "off"
    assert "must be off, which flagd cannot tell" in opposite["metadata"]["closed"]


def test_prerequisites_are_followed_so_far_and_circles_end():
    chain = [
        Flag(name=f"x{n}", default=True, prerequisites=((f"x{n + 1}", True),))
        for n in range(DEEPEST + 3)
    ]
    assert "too deeply" in told(*chain)["metadata"]["closed"]
    assert told(*chain[4:], Flag(name=f"x{DEEPEST + 3}", default=True))["defaultVariant"] == "on"
    circle = Flag(name="x", default=True, prerequisites=(("x", True),))
    assert told(circle)["defaultVariant"] == "off"


def test_the_version_is_the_sets_so_that_flags_that_did_not_change_stay_the_same():
    flags = {"x": Flag(name="x")}
    before, after = (
        configuration(Snapshot(environment="production", version=version, flags=flags))
        for version in (1, 2)
    )
    assert before["flags"] == after["flags"]
    assert after["metadata"] == {
        "flagSetId": "production",
        "environment": "production",
        "version": 2,
    }


@pytest.mark.parametrize(
    ("selector", "environment"),
    [("", ""), ("dev", "dev"), ("source=dev", "dev"), ("color=dev", "color=dev")],
)
def test_selectors(selector, environment):
    assert _selected(selector) == environment


def test_without_the_extra_the_server_says_what_to_install(root, monkeypatch):
    monkeypatch.setitem(sys.modules, "grpc", None)
    monkeypatch.delitem(sys.modules, "flagstaff.server.compat.flagd")
    with pytest.raises(MissingExtra, match="grpcio is not installed") as caught:
        build(Settings(root=root, engine=False, flagd_port=0))
    assert caught.value.hint == "pip install 'flagstaff[flagd]'"
    application = build(Settings(root=root, engine=False))
    assert application.flagd is None
    application.close()


def test_a_share_of_a_prerequisite_is_closed_because_flagd_counts_by_the_flag_that_is_asked():
    share = Gates(percentage_of_actors=Decimal(25), actors=frozenset({"User:1"}))
    asked = Flag(name="asked", gates=share, bucketing=Bucketing.FLAGD)
    assert "closed" not in told(asked).get("metadata", {})
    found = told(Flag(name="x", default=True, prerequisites=(("asked", True),)), asked)
    members = {"in": [{"var": "targetingKey"}, ["User:1"]]}
    assert found["targeting"] == {"if": [members, "on", "off"]}
    assert "by the flag that is asked about" in found["metadata"]["closed"]
