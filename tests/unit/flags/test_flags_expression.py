"""Do expressions mean what they mean in Flipper?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flagstaff.errors import SnapshotError
from flagstaff.flags.actor import Actor
from flagstaff.flags.bucketing import bucket
from flagstaff.flags.expression import Setting, asks, compile_expression, truth
from flagstaff.flags.murmur import murmur3
from flagstaff.flags.surroundings import Surroundings

ACTOR = Actor("User:1", {"plan": "gold", "age": 21, "admin": True, "name": ""})
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def run(data, actor=ACTOR, draw=0.25):
    around = Surroundings(
        counter=lambda _name, _value, _gate: lambda: None,
        groups={},
        draw=lambda: draw,
        murmur3=murmur3,
        clock=lambda: NOW,
    )
    setting = Setting(
        flag="some_feature",
        surroundings=around,
        enabled=lambda name, actors: name == "other" and actors == (actor,),
    )
    return compile_expression(data, setting)(actor.flag_attributes if actor else {}, actor)


def prop(name):
    return {"Property": [name]}


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (True, True),
        ({"Equal": [prop("plan"), "gold"]}, True),
        ({"Equal": [prop("plan"), "silver"]}, False),
        ({"Equal": [prop("missing"), prop("absent")]}, True),
        ({"Equal": [1, 1.0]}, True),
        ({"Equal": [True, 1]}, False),
        ({"NotEqual": [prop("plan"), "gold"]}, False),
        ({"NotEqual": [True, 1]}, True),
        ({"GreaterThan": [prop("age"), 20]}, True),
        ({"GreaterThan": [prop("age"), 21]}, False),
        ({"GreaterThanOrEqualTo": [prop("age"), 21]}, True),
        ({"LessThan": [prop("age"), 21.5]}, True),
        ({"LessThanOrEqualTo": ["a", "b"]}, True),
        ({"GreaterThan": ["25", 21]}, False),
        ({"GreaterThan": [prop("missing"), 1]}, False),
        ({"LessThan": [False, 1]}, False),
        ({"All": [prop("admin"), {"Equal": [prop("plan"), "gold"]}]}, True),
        ({"All": [prop("admin"), prop("missing")]}, False),
        ({"All": []}, True),
        ({"All": [0, ""]}, True),
        ({"Any": [False, prop("missing")]}, False),
        ({"Any": [False, 0]}, True),
        ({"Any": []}, False),
        ({"Boolean": ["true"]}, True),
        ({"Boolean": [1]}, True),
        ({"Boolean": ["yes"]}, False),
        ({"Number": ["12.5kg"]}, 12.5),
        ({"Number": ["-3"]}, -3),
        ({"Number": ["x"]}, 0),
        ({"Number": [prop("missing")]}, 0),
        ({"String": [12]}, "12"),
        ({"String": [True]}, "true"),
        ({"String": [prop("missing")]}, ""),
        ({"Percentage": [250]}, 100),
        ({"Percentage": ["-5"]}, 0),
        ({"Property": ["flipper_id"]}, "User:1"),
        ({"Property": "flag_id"}, "User:1"),
        ({"Property": ["name"]}, ""),
        ({"Now": []}, NOW),
        ({"Now": None}, NOW),
        ({"Time": ["2026-05-04T14:00:00+02:00"]}, NOW),
        ({"Time": ["2026-05-04T12:00:00"]}, NOW),
        ({"Time": [NOW.timestamp()]}, NOW),
        ({"Time": ["soon"]}, None),
        ({"GreaterThan": [{"Now": []}, {"Time": ["2026-05-01"]}]}, True),
        ({"GreaterThan": [{"Now": []}, {"Time": ["2026-06-01"]}]}, False),
        ({"LessThan": [{"Now": []}, {"Time": ["soon"]}]}, False),
        ({"Random": []}, 0.25),
        ({"Random": [10]}, 2),
        ({"FeatureEnabled": ["other"]}, True),
        ({"FeatureEnabled": ["another"]}, False),
    ],
)
def test_value(data, value):
    found = run(data)
    assert found == value
    assert isinstance(found, bool) == isinstance(value, bool)


@pytest.mark.parametrize(("share", "opened"), [(9.89, False), (9.891, True), ("10", True)])
def test_percentage_of_actors_uses_the_flags_buckets(share, opened):
    assert bucket("some_feature", "User:1") == 9890
    assert run({"PercentageOfActors": [prop("flipper_id"), share]}) is opened


def test_percentage_of_actors_may_bucket_by_any_property():
    opened = bucket("some_feature", "gold") < 50_000
    assert run({"PercentageOfActors": [prop("plan"), 50]}) is opened


def test_without_an_actor_there_are_no_properties():
    assert run(prop("plan"), actor=None) is None
    assert run(prop("flag_id"), actor=None) is None
    assert run({"NotEqual": [prop("plan"), "gold"]}, actor=None) is True


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, False), (False, False), (0, True), ("", True), (True, True)],
)
def test_only_false_and_nothing_are_false(value, expected):
    assert truth(value) is expected


def _nested(depth):
    data = True
    for _ in range(depth):
        data = {"All": [data]}
    return data


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"All": [], "Any": []},
        {"Nope": [1]},
        {"Equal": [1]},
        {"Equal": [1, 2, 3]},
        {"All": [None]},
        {"Property": []},
        {"Property": [1]},
        {"Now": [1]},
        {"Number": []},
        _nested(60),
    ],
)
def test_malformed_expressions_are_refused(data):
    with pytest.raises(SnapshotError, match="expression: "):
        run(data)


def test_asks_names_the_other_flags():
    data = {"Any": [{"FeatureEnabled": ["a"]}, {"All": [{"FeatureEnabled": "b"}]}]}
    assert asks(data) == {"a", "b"}
    assert asks(None) == frozenset()
