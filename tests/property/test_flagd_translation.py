"""A flag is never on in a client of flagd where it is off with us, and says where it is closed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

from flagstaff.flags.actor import Actor
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.compile import compile_snapshot
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.murmur import murmur3
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.surroundings import Surroundings
from flagstaff.flags.variant import Variant
from flagstaff.server.compat.flagd_flags import configuration

IDS = st.sampled_from([f"User:{n}" for n in range(6)] + ["Project:7", "Group:ü"])
NAMES = ("first", "second", "third", "größe")
PERCENTAGES = st.sampled_from(["0", "0.5", "25", "50", "99.9", "100"]).map(Decimal)
VALUES = st.none() | st.booleans() | st.sampled_from([0, 1, 1.5, 18, "", "gold", "true", "1", "18"])
ATTRIBUTES = st.dictionaries(st.sampled_from(["plan", "age", "a.b"]), VALUES)
PROPERTIES = st.sampled_from(["plan", "age", "a.b", "flag_id"]).map(
    lambda name: {"Property": [name]}
)
CONSTANTS = st.booleans() | st.sampled_from([0, 1, 18, "gold", "1", "User:1"])
COMPARED = st.sampled_from(
    ["Equal", "NotEqual", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"]
)
SIDES = st.tuples(PROPERTIES, CONSTANTS) | st.tuples(CONSTANTS, PROPERTIES)
LEAVES = (
    st.builds(lambda name, sides: {name: list(sides)}, COMPARED, SIDES)
    | st.builds(lambda asked: {"Boolean": [asked]}, PROPERTIES)
    | st.just({"GreaterThan": [{"Now": []}, {"Time": ["2020-01-01"]}]})
    | PROPERTIES
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda name, parts: {name: parts},
        st.sampled_from(["All", "Any"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)
GATES = st.builds(
    Gates,
    boolean=st.booleans(),
    expression=st.none() | EXPRESSIONS,
    actors=st.frozensets(IDS | IDS.map(lambda each: each + ":opt_out"), max_size=4),
    percentage_of_actors=PERCENTAGES,
    percentage_of_time=st.sampled_from(["0", "0", "50", "100"]).map(Decimal),
    groups=st.frozensets(st.just("staff"), max_size=1),
)
SETTINGS = st.fixed_dictionaries(
    {
        "default": st.booleans(),
        "gates": st.none() | GATES,
        "bucketing": st.sampled_from(Bucketing),
        "variants": st.just(())
        | st.just((Variant(name="blue", weight=2), Variant(name="red", payload="r"))),
    }
)


@st.composite
def snapshots(draw):
    flags = {}
    for number, name in enumerate(NAMES):
        wanted = draw(st.dictionaries(st.sampled_from([*NAMES[:number], "gone"]), st.booleans()))
        flags[name] = Flag(name=name, prerequisites=tuple(wanted.items()), **draw(SETTINGS))
    return Snapshot(environment="production", version=1, flags=flags)


def compiled(snapshot):
    around = Surroundings(
        counter=lambda *_: lambda: None,
        groups={"staff": lambda _actor: True},
        draw=lambda: 0.0,  # a percentage of time is open
        murmur3=murmur3,
        clock=lambda: datetime.now(UTC),
    )
    return compile_snapshot(snapshot, around).flags


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@given(snapshot=snapshots(), identity=IDS, attributes=ATTRIBUTES)
def test_it_is_on_there_for_nobody_else_and_for_everybody_unless_it_says_so(
    snapshot, identity, attributes
):
    written = configuration(snapshot)
    core = FlagdCore()
    core.set_flags(json.dumps(written))
    about = EvaluationContext(targeting_key=identity, attributes=attributes)
    for name, ours in compiled(snapshot).items():
        actor = Actor(identity, attributes)
        on = ours.check((actor,))
        closed = written["flags"][name].get("metadata", {}).get("closed", "")
        if ours.flag.variants:
            found = core.resolve_string_value(name, "nothing", about).value
            chosen = ours.choose((identity,))
            expected = chosen.payload or chosen.name
            assert found in ({expected} if on else set()) | {"nothing"}
            there = found == expected
        else:
            there = core.resolve_boolean_value(name, True, about).value
        assert on or not there, name
        assert there is on or closed, name
