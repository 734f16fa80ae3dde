"""Are names, environments, actors, definitions and mistakes what they should be?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flagstaff.definitions import parse_definition
from flagstaff.errors import UsageError
from flagstaff.flags.actor import Actor
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.gates import Gates
from flagstaff.importers import (
    Export,
    ImportedFlag,
    definition_file,
    read_actors,
    read_export,
    sample_actors,
)
from flagstaff.importers.attributes import equals, starts_with
from flagstaff.importers.condition import (
    EVERYBODY,
    NOBODY,
    UNKNOWN,
    Members,
    all_of,
    any_of,
    at_least,
    first_match,
    negated,
)
from flagstaff.importers.gates import gates_of
from flagstaff.importers.mapping import map_environments
from flagstaff.importers.names import our_name, our_names

OURS = ("dev", "staging", "production")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("new_navigation", "new_navigation"),
        ("newNavigation", "new_navigation"),
        ("new-nav.v2", "new_nav_v2"),
        ("HTTPServer", "http_server"),
        ("Größe", "gr_e"),
        ("---", ""),
        ("x" * 300, ""),
    ],
)
def test_names(theirs, ours):
    assert our_name(theirs) == ours


def test_of_two_flags_with_one_name_the_one_that_keeps_it_has_it():
    assert our_names(["a-b", "a_b", "a.b"]) == {"a-b": "", "a_b": "a_b", "a.b": ""}


class TestEnvironments:
    NAMELESS = Export(system="flipper", environments=("",), flags=())
    NAMED = Export(system="unleash", environments=("development", "live"), flags=())

    def test_one_that_is_not_named_has_to_be(self):
        with pytest.raises(UsageError, match="does not say of which") as caught:
            map_environments(self.NAMELESS, OURS, ())
        assert caught.value.hint == "name yours: --environment production"

    def test_the_usual_names_are_known(self):
        assert map_environments(self.NAMED, OURS, ()) == {"dev": "development"}

    def test_pairs(self):
        assert map_environments(self.NAMED, OURS, ("live=production",)) == {"production": "live"}
        assert map_environments(self.NAMELESS, OURS, ("dev",)) == {"dev": ""}

    @pytest.mark.parametrize("given", ["live=nowhere", "other=production", "production"])
    def test_what_is_not_there_is_named(self, given):
        with pytest.raises(UsageError, match="no environment"):
            map_environments(self.NAMED, OURS, (given,))

    def test_none_of_ours_is_two_of_theirs(self):
        with pytest.raises(UsageError, match="twice"):
            map_environments(self.NAMED, OURS, ("live=dev", "development=dev"))


class TestActors:
    def test_ids_and_objects(self):
        data = b'User:1\n\n{"id": "User:2", "plan": "gold"}\n{"id": 3, "attributes": {"a": 1}}\n'
        assert read_actors(data, source="actors") == [
            Actor("User:1"),
            Actor("User:2", {"plan": "gold"}),
            Actor("3", {"a": 1}),
        ]

    @pytest.mark.parametrize(
        "line", [b"two words", b"{", b'{"id": null}', b'{"id": "x", "attributes": []}', b"\xff"]
    )
    def test_a_wrong_line_is_named(self, line):
        with pytest.raises(UsageError, match=r"actors:2|byte"):
            read_actors(b"User:1\n" + line, source="actors")

    def test_nobody_is_a_mistake(self):
        with pytest.raises(UsageError, match="no actors"):
            read_actors(b"\n", source="actors")

    def test_made_up_ones(self):
        assert [each.flag_id for each in sample_actors(2, "a{n}")] == ["a1", "a2"]
        with pytest.raises(UsageError, match="has no"):
            sample_actors(2, "a")


class TestConditions:
    def test_what_is_unknown_never_opens(self):
        assert at_least(UNKNOWN) == NOBODY
        assert at_least(negated(UNKNOWN)) == NOBODY
        assert at_least(any_of([UNKNOWN, Members(frozenset("a"))])) == Members(frozenset("a"))
        assert at_least(all_of([negated(UNKNOWN), EVERYBODY])) == NOBODY
        assert at_least(first_match([(UNKNOWN, False)], otherwise=True)) == NOBODY
        assert at_least(first_match([(UNKNOWN, True)], otherwise=True)) == EVERYBODY

    def test_an_id_that_no_gate_takes_is_left_to_the_expression(self):
        gates = gates_of(Members(frozenset({"two words"})))
        assert gates == Gates(expression={"Equal": [{"Property": ["flag_id"]}, "two words"]})

    def test_long_lists_are_nested(self):
        expression = gates_of(any_of([equals("a", each) for each in range(2_000)])).expression
        assert [len(each["Any"]) for each in expression["Any"]] == [900, 900, 200]

    def test_the_end_of_a_range_is_the_next_sign(self):
        end = gates_of(starts_with("a", "x\ud7ff")).expression["All"][1]
        assert end == {"LessThan": [{"Property": ["a"]}, "x\ue000"]}


class TestMistakes:
    @pytest.mark.parametrize(
        ("document", "place"),
        [
            ({"version": 2, "features": [{"name": 5}]}, r"\$\.features\[0\]\.name: 5"),
            ({"version": 2, "features": [{"name": "x", "enabled": "yes"}]}, r"enabled: 'yes'"),
            (
                {
                    "version": 2,
                    "features": [
                        {
                            "name": "x",
                            "strategies": [
                                {"name": "flexibleRollout", "parameters": {"rollout": "101"}}
                            ],
                        }
                    ],
                },
                r"strategies\[0\]\.parameters\.rollout: '101'",
            ),
            ({"version": 1, "features": {"x": {"actors": 5}}}, r"\$\.features\.x: "),
            ({"flags": {"x": {"variations": [True], "offVariation": 3}}}, r"offVariation: 3"),
            ({"features": {"x": {"rules": [{"force": True, "coverage": "a"}]}}}, "coverage: 'a'"),
            (
                {"items": [{"key": "x", "variations": [], "environments": {"p": {"on": True}}}]},
                r"\$\.items\[0\]\.environments\.p: its rules",
            ),
            ([{"model": "waffle.flag", "fields": {"name": ""}}], r"\$\[0\]\.fields\.name: ''"),
        ],
    )
    def test_the_place_is_named(self, document, place):
        with pytest.raises(UsageError, match=place):
            read_export(json.dumps(document).encode(), source="export.json")

    @pytest.mark.parametrize(
        ("data", "what"),
        [
            (b"", "export.json:1: not JSON"),
            (b'{"a": \n nope}', "export.json:2: not JSON"),
            (b"\xff", "not UTF-8"),
            (b"{}", "no system that is known"),
            (b'{"features": {}, "encryptedFeatures": "x"}', "encrypted"),
        ],
    )
    def test_what_is_no_export_is_refused(self, data, what):
        with pytest.raises(UsageError, match=what):
            read_export(data, source="export.json")


def test_a_definition_says_what_it_should_whatever_the_description_holds():
    flag = ImportedFlag(
        theirs="a\x07b\nname: other",
        name="ab",
        description="one\ntwo: # \x85three",
        group='the "x": team',
        bucketing=Bucketing.MURMUR3,
        prerequisites=(("c", False), ("d", True)),
    )
    text = definition_file(flag, system="unleash")
    found = parse_definition(text.encode(), path=Path("flags/development/ab.yml"))
    assert (found.name, found.group, found.bucketing) == ("ab", 'the "x": team', Bucketing.MURMUR3)
    assert [(each.flag, each.value) for each in found.prerequisites] == [("c", False), ("d", True)]
