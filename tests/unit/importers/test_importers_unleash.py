"""Does an export of Unleash become the flags that it says?"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from flagstaff.flags.actor import Actor
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.importers import Fate, compare, read_export, sample_actors

SAMPLES = Path(__file__).parent / "samples"


def read(name):
    return read_export((SAMPLES / name).read_bytes(), source=name)


def feature(*strategies, **more):
    made = {"name": "x", "enabled": True, "strategies": list(strategies), **more}
    found = read_export(
        json.dumps({"version": 2, "features": [made]}).encode(), source="export.json"
    )
    return found.flags[0]


def rollout(share, group="x", **more):
    parameters = {"rollout": str(share), "stickiness": "default", "groupId": group}
    return {"name": "flexibleRollout", "parameters": parameters, **more}


def test_a_rollout_under_the_flags_own_name_keeps_everybodys_answer():
    flag = feature(rollout(25))
    taken = flag.places[""]
    assert flag.bucketing is Bucketing.MURMUR3
    assert (taken.gates, taken.fate) == (Gates(percentage_of_actors=Decimal(25)), Fate.SAME)
    after = {"x": Flag(name="x", gates=taken.gates, bucketing=flag.bucketing)}
    (found,) = compare([(flag, taken)], after, sample_actors(2_000), environment="dev")
    assert (found.unchanged, found.gain, found.lose) == (2_000, 0, 0)


def test_a_rollout_under_another_name_moves_actors_and_says_how_many():
    flag = feature(rollout(50, "another"))
    taken = flag.places[""]
    assert taken.fate is Fate.MOVED
    after = {"x": Flag(name="x", gates=taken.gates)}
    (found,) = compare([(flag, taken)], after, sample_actors(2_000), environment="dev")
    assert found.unchanged + found.gain + found.lose == 2_000
    assert 350 < found.gain < 650
    assert 350 < found.lose < 650
    assert len(found.examples[0]) == 3


def test_the_three_forms_say_the_same():
    client, admin = read("unleash_client.json"), read("unleash_export.json")
    assert (client.environments, admin.environments) == (("",), ("production",))
    by_name = {flag.theirs: flag for flag in admin.flags}
    assert len(by_name) == len(client.flags)
    for flag in client.flags:
        other = by_name[flag.theirs]
        assert other.places["production"].gates == flag.places[""].gates
        assert other.places["production"].fate is flag.places[""].fate
        assert (other.bucketing, other.prerequisites) == (flag.bucketing, flag.prerequisites)


def test_the_older_export_has_all_environments_and_segments():
    quarter, gold = read("unleash_state.json").flags
    assert (quarter.type, quarter.group, quarter.description) == ("ops", "shop", "A share")
    assert quarter.places["development"].gates == Gates(boolean=True)
    assert gold.places["development"].gates == Gates()
    assert gold.places["production"].gates.expression == {"Equal": [{"Property": ["plan"]}, "gold"]}


def test_archived_features_are_left_out_and_named():
    assert read("unleash_export.json").remarks == ("archived, and left out: gone",)


def test_what_cannot_be_said_is_closed_and_named_with_its_place():
    ends = {"contextName": "country", "operator": "STR_ENDS_WITH", "values": ["e"]}
    flag = feature({"name": "default", "constraints": [ends]}, rollout(10))
    taken = flag.places[""]
    assert taken.fate is Fate.PARTLY
    assert taken.gates == Gates(percentage_of_actors=Decimal(10))
    (loss,) = taken.losses
    assert loss.place == "$.features[0].strategies[0].constraints[0].operator"


def test_an_inverted_constraint_that_cannot_be_said_is_closed_as_well():
    ends = {
        "contextName": "country",
        "operator": "STR_ENDS_WITH",
        "values": ["e"],
        "inverted": True,
    }
    taken = feature({"name": "default", "constraints": [ends]}).places[""]
    assert (taken.fate, taken.gates) == (Fate.LOST, Gates())


def test_a_child_of_a_flag_that_is_lost_is_lost():
    features = [
        {"name": "a", "enabled": True, "strategies": [{"name": "mine"}]},
        {
            "name": "b",
            "enabled": True,
            "strategies": [{"name": "default"}],
            "dependencies": [{"feature": "a", "enabled": False}],
        },
    ]
    data = json.dumps({"version": 2, "features": features}).encode()
    child = read_export(data, source="export.json").flags[1]
    assert child.places[""].fate is Fate.LOST
    assert child.places[""].gates == Gates()


def test_chance_stays_chance():
    random = {"name": "gradualRolloutRandom", "parameters": {"percentage": "30"}}
    flag = feature(random)
    taken = flag.places[""]
    assert taken.gates == Gates(percentage_of_time=Decimal(30))
    assert taken.answer(Actor("User:1")) == pytest.approx(0.3)
    after = {"x": Flag(name="x", gates=taken.gates)}
    (found,) = compare([(flag, taken)], after, sample_actors(50), environment="dev")
    assert (found.drawn, found.gain, found.lose) == (50, 0, 0)


def test_two_chances_add_up_as_chances_do():
    random = {"name": "gradualRolloutRandom", "parameters": {"percentage": "50"}}
    assert feature(random, random).places[""].gates.percentage_of_time == Decimal(75)
