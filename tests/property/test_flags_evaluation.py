"""Do compiled flags answer as the rules say, whatever the gates and the actors?"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from flagstaff.flags.actor import Actor
from flagstaff.flags.compile import compile_snapshot
from flagstaff.flags.evaluation import Gate
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.murmur import murmur3
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.surroundings import Surroundings

IDS = st.sampled_from([f"User:{n}" for n in range(6)] + ["Project:7", "Group:ü"])
NAMES = st.sampled_from(["a", "some_feature", "größe"])
PERCENTAGES = st.integers(0, 100_000).map(lambda n: Decimal(n) / 1000)
GROUPS = {"staff": lambda actor: "User" in _id(actor), "none": lambda _actor: False}
GATES = st.builds(
    Gates,
    boolean=st.booleans(),
    expression=st.sampled_from([None, {"Equal": [{"Property": ["plan"]}, "gold"]}]),
    actors=st.frozensets(IDS | IDS.map(lambda each: each + ":opt_out"), max_size=5),
    percentage_of_actors=st.just(Decimal(0)) | PERCENTAGES,
    percentage_of_time=st.just(Decimal(0)) | PERCENTAGES,
    groups=st.frozensets(st.sampled_from(["staff", "none", "unknown"]), max_size=3),
)
FLAGS = st.builds(
    Flag, name=NAMES, default=st.booleans(), gates=st.none() | GATES, type=st.just("ops")
)
ACTORS = st.lists(
    IDS | st.builds(Actor, IDS, st.sampled_from([{}, {"plan": "gold"}, {"plan": 1}])), max_size=3
)


def _id(actor):
    return actor if isinstance(actor, str) else actor.flag_id


def compiled(flag, draw=0.5):
    counts = Counter()

    def counter(name, value, gate):
        return lambda: counts.update([(name, value, gate)])

    around = Surroundings(
        counter=counter,
        groups=GROUPS,
        draw=lambda: draw,
        murmur3=murmur3,
        clock=lambda: datetime.now(UTC),
    )
    snapshot = Snapshot(environment="test", version=1, flags={flag.name: flag})
    return compile_snapshot(snapshot, around).flags[flag.name], counts


def by_the_book(flag, actors, draw):
    """The rules as they are written down, without any thought of speed."""
    gates = flag.gates
    if gates is None:
        return flag.default
    ids = [_id(actor) for actor in actors]
    joined = "".join(sorted(ids))
    golden = any(
        not isinstance(actor, str) and actor.flag_attributes.get("plan") == "gold"
        for actor in actors
    )
    bucket = crc32((flag.name + joined).encode()) % 100_000
    opened = (
        gates.boolean
        or (gates.expression is not None and golden)
        or any(each in gates.actors for each in ids)
        or (bool(ids) and bucket < gates.percentage_of_actors * 1000)
        or draw < gates.percentage_of_time / 100
        or any(GROUPS[name](actor) for name in gates.groups & GROUPS.keys() for actor in actors)
    )
    return opened and not any(each + ":opt_out" in gates.actors for each in ids)


@given(flag=FLAGS, actors=ACTORS, draw=st.floats(0, 1, exclude_max=True))
def test_the_compiled_answer_is_the_one_by_the_book(flag, actors, draw):
    ready, _ = compiled(flag, draw)
    assert ready.check(tuple(actors)) == by_the_book(flag, actors, draw)


@given(flag=FLAGS, actors=ACTORS)
def test_the_answer_and_the_gate_behind_it_agree_and_are_counted_once(flag, actors):
    ready, counts = compiled(flag)
    gate = ready.decide(tuple(actors))
    value = ready.check(tuple(actors))
    assert value == ready.value(gate)
    assert counts == {(flag.name, value, gate): 1}


@given(flag=FLAGS, actors=ACTORS)
def test_the_order_and_the_packing_of_actors_do_not_matter(flag, actors):
    ready, _ = compiled(flag)
    answer = ready.check(tuple(actors))
    assert ready.check(tuple(reversed(actors))) == answer
    assert ready.check((actors,)) == answer
    assert ready.check((None, *actors)) == answer


@given(name=NAMES, actor=IDS, shares=st.lists(PERCENTAGES, min_size=2, max_size=6))
def test_a_larger_share_never_loses_an_actor(name, actor, shares):
    answers = [
        compiled(Flag(name=name, gates=Gates(percentage_of_actors=share)))[0].check((actor,))
        for share in sorted(shares)
    ]
    assert all(after or not before for before, after in pairwise(answers))


@given(gates=GATES)
def test_gates_survive_the_wire(gates):
    assert Gates.from_json(json.loads(json.dumps(gates.to_json()))) == gates


@given(flag=FLAGS)
def test_flags_survive_the_wire(flag):
    assert Flag.from_json(flag.name, json.loads(json.dumps(flag.to_json()))) == flag


@given(gates=GATES, identity=IDS)
def test_an_opted_out_actor_is_answered_off_whatever_opens(gates, identity):
    flag = Flag(name="a", gates=gates.opt_out(identity))
    ready, _ = compiled(flag, 0.0)
    assert ready.check((identity,)) is False
    assert ready.decide((identity,)) in {Gate.OPT_OUT, Gate.NONE}
