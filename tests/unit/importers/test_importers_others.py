"""Do exports of Flipper, django-waffle, LaunchDarkly and GrowthBook become what they say?"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from flagstaff.flags.actor import Actor
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.importers import Fate, compare, read_export, sample_actors
from flagstaff.importers.hashing import fnv1a, growthbook, launchdarkly

SAMPLES = Path(__file__).parent / "samples"


def read(name):
    export = read_export((SAMPLES / name).read_bytes(), source=name)
    return export, {flag.theirs: flag for flag in export.flags}


def compared(flag, actors, place=""):
    taken = flag.places[place]
    after = {flag.name: Flag(name=flag.name, gates=taken.gates, bucketing=flag.bucketing)}
    (found,) = compare([(flag, taken)], after, actors, environment="dev")
    return found


class TestFlipper:
    def test_gates_stay_as_they_are_and_so_does_every_answer(self):
        _, flags = read("flipper.json")
        quarter = flags["a_quarter"]
        assert quarter.places[""].fate is Fate.SAME
        assert quarter.places[""].gates == Gates(
            actors=frozenset({"User:7"}), percentage_of_actors=Decimal(25)
        )
        found = compared(quarter, sample_actors(2_000))
        assert (found.unchanged, found.gain, found.lose) == (2_000, 0, 0)

    def test_another_name_is_another_hash(self):
        flag = read("flipper.json")[1]["renamedFeature"]
        assert (flag.name, flag.places[""].fate) == ("renamed_feature", Fate.MOVED)
        assert compared(flag, sample_actors(1_000)).gain > 100

    def test_groups_must_be_registered(self):
        assert read("flipper.json")[0].remarks == (
            "your application must register the groups of: of_gold",
        )


class TestWaffle:
    def test_a_percentage_can_only_be_expected(self):
        flag = read("waffle.json")[1]["percent"]
        assert flag.places[""].fate is Fate.MOVED
        assert flag.places[""].answer(Actor("User:9")) == 0.25
        found = compared(flag, sample_actors(10_000))
        # A quarter of those who are in now were in before: 0.25 of 0.75 of all change each way.
        assert found.unchanged == 1  # User:3 is listed
        assert found.gain == pytest.approx(1_875, abs=100)
        assert found.lose == pytest.approx(1_875, abs=100)

    def test_users_groups_and_staff(self):
        _, flags = read("waffle.json")
        assert flags["some_users"].places[""].gates.actors == {"User:1", "User:2", "User:900"}
        assert flags["of_editors"].places[""].gates.groups == {"editors"}
        ask = flags["staff_only"].places[""].answer
        assert (ask(Actor("User:1", {"is_staff": True})), ask(Actor("User:1"))) == (1, 0)

    def test_testing_is_lost_and_said_where(self):
        taken = read("waffle.json")[1]["tried_out"].places[""]
        assert taken.fate is Fate.PARTLY
        assert taken.losses[0].place == "$[8].fields.testing"

    def test_names_are_shared_by_flags_and_switches(self):
        rows = [
            {"model": "waffle.switch", "pk": 1, "fields": {"name": "x", "active": True}},
            {"model": "waffle.sample", "pk": 1, "fields": {"name": "x", "percent": "5"}},
        ]
        export = read_export(json.dumps(rows).encode(), source="dump.json")
        assert [(each.theirs, each.name) for each in export.flags] == [
            ("x", "x"),
            ("x (sample)", "x_sample"),
        ]


class TestLaunchDarkly:
    def test_the_hash_is_the_first_60_bits_of_a_sha1(self):
        assert launchdarkly("hashKey.saltyA", "userKeyA") == pytest.approx(0.42157587, abs=1e-7)

    def test_weights_are_thousandths_of_a_percent(self):
        _, flags = read("launchdarkly_file.json")
        assert flags["thousandth"].places[""].gates.percentage_of_actors == Decimal("0.001")
        assert flags["short-weights"].places[""].gates.percentage_of_actors == Decimal(70)

    def test_the_api_has_all_environments(self):
        export, flags = read("launchdarkly_api.json")
        assert export.environments == ("production", "test")
        assert flags["quarter"].places["test"].gates == Gates(boolean=True)
        assert flags["gold"].type == "ops"  # it is not temporary
        assert flags["quarter"].description == "The quarter: From the API"

    def test_only_true_and_false_are_taken_over(self):
        taken = read("launchdarkly_file.json")[1]["colours"].places[""]
        assert taken.fate is Fate.LOST
        assert taken.losses[0].place == "$.flags.colours.variations[0]"

    def test_a_rule_that_closes_and_cannot_be_said_closes_for_everybody(self):
        taken = read("launchdarkly_file.json")[1]["ends-off"].places[""]
        assert (taken.fate, taken.gates) == (Fate.LOST, Gates())

    def test_a_segment_without_end_is_a_loss_and_no_crash(self):
        clause = {"attribute": "", "op": "segmentMatch", "values": ["s"]}
        flag = {
            "on": True,
            "variations": [True, False],
            "offVariation": 1,
            "fallthrough": {"variation": 1},
            "rules": [{"variation": 0, "clauses": [clause]}],
        }
        document = {"flags": {"x": flag}, "segments": {"s": {"rules": [{"clauses": [clause]}]}}}
        (found,) = read_export(json.dumps(document).encode(), source="flags.json").flags
        assert found.places[""].fate is Fate.LOST
        assert found.places[""].answer(Actor("User:1")) is None


class TestGrowthBook:
    def test_the_hash_is_fnv_1a(self):
        assert fnv1a("") == 0x811C9DC5
        assert fnv1a("a") == 0xE40C292C
        assert growthbook("", "a", 1) == 0.22
        assert growthbook("seed", "a", 2) == 0.0505
        assert growthbook("seed", "b", 2) == 0.2696
        assert growthbook("seed", "b", 3) is None

    def test_coverage_is_a_share(self):
        _, flags = read("growthbook.json")
        assert flags["quarter"].places[""].gates.percentage_of_actors == Decimal(25)
        assert flags["quarter"].places[""].fate is Fate.MOVED
        assert flags["a-range"].places[""].gates.percentage_of_actors == Decimal(40)

    def test_groups_are_members(self):
        taken = read("growthbook.json")[1]["in-group"].places[""]
        assert taken.gates.actors == {"User:1", "User:2", "User:3"}

    def test_a_flag_that_asks_a_moved_one_is_moved(self):
        assert read("growthbook.json")[1]["child"].places[""].fate is Fate.MOVED
