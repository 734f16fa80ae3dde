"""Does an actor keep its variant, and does each variant get its share?"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from flagstaff import Client, Gate, Reason
from flagstaff.errors import SnapshotError
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.variant import Variant, chooser, read_variants

BLUE = Variant(name="blue", weight=3, payload={"hex": "#00f"}, actors=frozenset({"User:7"}))
GREEN = Variant(name="green", weight=1, payload=4.5)
PINNED = Variant(name="pinned", weight=0, actors=frozenset({"User:8"}))
FLAG = Flag(name="button", gates=Gates(boolean=True), variants=(BLUE, GREEN, PINNED))


def flags(flag=FLAG):
    return Client.memory({"button": flag, "plain": True})


def test_an_actor_keeps_its_variant_and_shares_follow_the_weights():
    client = flags()
    names = [client.variant("button", f"User:{n}") for n in range(100, 4_100)]
    assert names == [client.variant("button", f"User:{n}") for n in range(100, 4_100)]
    counted = Counter(names)
    assert set(counted) == {"blue", "green"}
    assert 0.72 < counted["blue"] / len(names) < 0.78


def test_a_pinned_actor_gets_its_variant():
    assert flags().variant("button", "User:7") == "blue"
    assert flags().variant("button", "User:8") == "pinned"


def test_payloads_of_all_types():
    client = flags()
    assert client.payload("button", "User:7") == {"hex": "#00f"}
    assert client.payload("plain") is True
    assert client.payload("nope", default=3) == 3
    assert client.variant("nope", default="red") == "red"
    assert client.variant("plain") == "on"


def test_a_flag_that_is_off_has_no_variant():
    client = flags(Flag(name="button", gates=Gates(), variants=(BLUE,)))
    assert client.variant("button", "User:7", default="red") == "red"
    assert client.payload("button", "User:7", default=0) == 0
    assert client.evaluate("button", "User:7").variant == "off"


def test_the_variant_does_not_depend_on_the_place_in_the_rollout():
    gates = Gates(percentage_of_actors=Decimal(10))
    client = flags(Flag(name="button", gates=gates, variants=(BLUE, GREEN)))
    answers = [client.evaluate("button", f"User:{n}") for n in range(10_000)]
    counted = Counter(answer.variant for answer in answers if answer.value)
    assert 0.68 < counted["blue"] / sum(counted.values()) < 0.82


def test_growing_one_variant_moves_actors_only_to_it():
    before = chooser("button", [Variant(name="a"), Variant(name="b")], lambda: 0.0)
    after = chooser("button", [Variant(name="a", weight=3), Variant(name="b")], lambda: 0.0)
    moved = {(before((f"User:{n}",)).name, after((f"User:{n}",)).name) for n in range(2_000)}
    assert moved == {("a", "a"), ("b", "b"), ("b", "a")}


@pytest.mark.parametrize("draw", [0.0, 0.7499, 0.75, 0.999999])
def test_without_an_actor_the_variant_is_drawn(draw):
    chosen = chooser("button", [BLUE, GREEN], lambda: draw)(())
    assert chosen.name == ("blue" if draw < 0.75 else "green")


def test_variants_travel():
    assert Flag.from_json("button", FLAG.to_json()) == FLAG
    assert "variants" not in Flag(name="x").to_json()


@pytest.mark.parametrize(
    "data",
    [
        {},
        [{}],
        [{"name": ""}],
        [{"name": "a", "weight": -1}],
        [{"name": "a", "weight": 1.5}],
        [{"name": "a", "weight": 0}],
        [{"name": "a"}, {"name": "a"}],
        [{"name": "a", "colour": "blue"}],
        [{"name": "a", "actors": "User:1"}],
    ],
)
def test_malformed_variants_are_refused(data):
    with pytest.raises(SnapshotError):
        read_variants(data)


def needing(**wanted):
    return Flag(name="child", gates=Gates(boolean=True), prerequisites=tuple(wanted.items()))


@pytest.mark.parametrize(
    ("parent", "wanted", "answer"),
    [(True, True, True), (False, True, False), (True, False, False), (False, False, True)],
)
def test_a_prerequisite_must_answer_as_said(parent, wanted, answer):
    client = Client.memory({"parent": parent, "child": needing(parent=wanted)})
    assert client.is_enabled("child") is answer
    found = client.evaluate("child")
    assert found.gate is (Gate.BOOLEAN if answer else Gate.PREREQUISITE)
    assert found.reason is (Reason.STATIC if answer else Reason.DISABLED)


def test_a_prerequisite_is_asked_for_the_same_actors():
    client = Client.memory(
        {"parent": Gates(actors=frozenset({"User:1"})), "child": needing(parent=True)}
    )
    assert client.is_enabled("child", "User:1")
    assert client.is_disabled("child", "User:2")
    assert "it needs parent to be on" in client.explain("child", "User:2").words


def test_an_unknown_prerequisite_is_not_met_and_a_circle_ends():
    client = Client.memory({"child": needing(nope=True)})
    assert client.is_disabled("child")
    circle = Flag(name="a", gates=Gates(boolean=True), prerequisites=(("a", True),))
    assert Client.memory({"a": circle}).is_disabled("a")


def test_a_changed_prerequisite_is_seen():
    client = Client.memory({"parent": False, "child": needing(parent=True)})
    handle = client.flag("child")
    assert not handle()
    client._source.set("parent", True)
    assert handle()


def test_prerequisites_travel():
    flag = needing(a=True, b=False)
    assert Flag.from_json("child", flag.to_json()) == flag
    with pytest.raises(SnapshotError, match="prerequisite a"):
        Flag.from_json("child", {"prerequisites": {"a": "on"}})
    with pytest.raises(SnapshotError, match="bucketing"):
        Flag.from_json("child", {"bucketing": "md5"})
