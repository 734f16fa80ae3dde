"""Do writes change the gates as Flipper changes them?"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from flagstaff.errors import SnapshotError, UsageError
from flagstaff.flags.gates import Gates, State

FULL = Gates(
    actors=frozenset({"User:1", "User:2:opt_out"}),
    percentage_of_actors=Decimal("12.5"),
    percentage_of_time=Decimal(3),
    groups=frozenset({"staff"}),
    expression={"All": []},
)


def test_enable_deletes_every_other_gate():
    assert FULL.enable() == Gates(boolean=True)


def test_disable_deletes_every_gate():
    assert FULL.disable() == Gates()


def test_adding_an_actor_leaves_other_gates():
    after = Gates(boolean=True).add_actors(["User:1"])
    assert (after.boolean, after.actors, after.state) == (True, {"User:1"}, State.ON)


def test_removing_an_actor_that_was_never_there_changes_nothing():
    assert FULL.remove_actors(["User:9"]) == FULL


def test_removing_an_actor_of_a_flag_on_for_everyone_leaves_it_on():
    assert Gates(boolean=True).remove_actors(["User:1"]).state is State.ON


def test_groups_are_added_and_removed_alone():
    assert FULL.add_groups(["beta"]).remove_groups(["staff"]).groups == {"beta"}
    assert FULL.add_groups(["beta"]).actors == FULL.actors


def test_a_percentage_replaces_only_its_own_gate():
    after = FULL.set_percentage_of_actors(Decimal(50))
    assert after.percentage_of_actors == 50
    assert after.actors == FULL.actors
    assert after.percentage_of_time == 3
    assert FULL.set_percentage_of_time(Decimal(9)).percentage_of_actors == Decimal("12.5")


@pytest.mark.parametrize("name", ["set_percentage_of_actors", "set_percentage_of_time"])
def test_a_percentage_narrows_a_flag_that_is_on_for_everyone(name):
    on = Gates(boolean=True).opt_out("User:3")
    after = getattr(on, name)(Decimal(25))
    assert after.boolean is False
    assert after.state is State.CONDITIONAL
    assert after.opted_out == {"User:3"}


def test_opt_out_is_a_member_that_enable_forgets():
    out = Gates(boolean=True).opt_out("User:3")
    assert out.actors == {"User:3:opt_out"}
    assert (out.members, out.opted_out) == (frozenset(), {"User:3"})
    assert out.remove_opt_out("User:3") == Gates(boolean=True)
    assert out.enable().opted_out == frozenset()


@pytest.mark.parametrize(
    ("gates", "state"),
    [
        (Gates(), State.OFF),
        (Gates(boolean=True), State.ON),
        (Gates(percentage_of_time=Decimal(100)), State.ON),
        (Gates(percentage_of_time=Decimal(99)), State.CONDITIONAL),
        (Gates(percentage_of_actors=Decimal(100)), State.CONDITIONAL),
        (Gates(actors=frozenset({"User:1"})), State.CONDITIONAL),
        (Gates(groups=frozenset({"staff"})), State.CONDITIONAL),
        (Gates(expression={"Any": []}), State.CONDITIONAL),
    ],
)
def test_state(gates, state):
    assert gates.state is state


@pytest.mark.parametrize("value", ["-1", "100.001", "0.0001", "NaN", "Infinity"])
def test_a_percentage_out_of_range_is_refused(value):
    with pytest.raises(UsageError):
        Gates().set_percentage_of_actors(Decimal(value))
    with pytest.raises(UsageError):
        Gates(percentage_of_time=Decimal(value))


@pytest.mark.parametrize("identity", ["", "User: 1", "User:1\n", "x" * 256, "User:\x00"])
def test_an_unusable_actor_id_is_refused(identity):
    with pytest.raises(UsageError):
        Gates().add_actors([identity])
    with pytest.raises(UsageError):
        Gates().opt_out(identity)


def test_an_empty_group_name_is_refused():
    with pytest.raises(UsageError):
        Gates().add_groups([""])


@pytest.mark.parametrize(
    "expression",
    [{}, {"Nope": []}, {"Equal": [1]}, {"All": []}, {"All": [{"Any": []}]}, {"Any": None}],
)
def test_an_expression_that_is_malformed_or_empty_is_not_stored(expression):
    with pytest.raises(UsageError, match="expression: "):
        Gates().set_expression(expression)


def test_an_expression_is_stored_and_removed():
    expression = {"Any": [{"Equal": [{"Property": ["plan"]}, "gold"]}, {"Now": []}]}
    gates = Gates(actors=frozenset({"User:1"})).set_expression(expression)
    assert gates.state is State.CONDITIONAL
    assert gates.set_expression(None) == Gates(actors=frozenset({"User:1"}))


def test_json_round_trip_is_sorted_and_exact():
    data = FULL.to_json()
    assert data == {
        "boolean": False,
        "expression": {"All": []},
        "actors": ["User:1", "User:2:opt_out"],
        "percentage_of_actors": "12.5",
        "percentage_of_time": "3",
        "groups": ["staff"],
    }
    assert Gates.from_json(json.loads(json.dumps(data))) == FULL


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"boolean": 1},
        {"boolean": "true"},
        {"expression": []},
        {"actors": "User:1"},
        {"actors": [1]},
        {"actors": [""]},
        {"groups": {}},
        {"percentage_of_actors": 25},
        {"percentage_of_actors": "101"},
        {"percentage_of_time": "0.0001"},
        {"deny": ["User:1"]},
    ],
)
def test_malformed_json_is_refused(data):
    with pytest.raises(SnapshotError):
        Gates.from_json(data)


def test_gates_can_be_hashed_even_with_an_expression():
    assert hash(FULL) == hash(Gates.from_json(FULL.to_json()))
