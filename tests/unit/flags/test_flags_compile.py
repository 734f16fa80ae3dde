"""Is a snapshot compiled once per change, and is no flag able to trap another?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from flagstaff.errors import SnapshotError, UsageError
from flagstaff.flags.compile import compile_snapshot
from flagstaff.flags.evaluation import Gate
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.murmur import murmur3
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.surroundings import Surroundings


def surroundings(groups=None):
    return Surroundings(
        counter=lambda _name, _value, _gate: lambda: None,
        groups={} if groups is None else groups,
        draw=lambda: 0.5,
        murmur3=murmur3,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )


def snapshot(version=1, **flags):
    named = {name: Flag(name=name, default=True, gates=gates) for name, gates in flags.items()}
    return Snapshot(environment="test", version=version, flags=named)


def asking(name):
    return Gates(expression={"FeatureEnabled": [name]})


def test_an_unchanged_flag_is_not_compiled_again():
    before = compile_snapshot(snapshot(a=Gates(boolean=True), b=Gates()), surroundings())
    after = compile_snapshot(snapshot(2, a=Gates(boolean=True), b=None), surroundings(), before)
    assert after.flags["a"] is before.flags["a"]
    assert after.flags["b"] is not before.flags["b"]
    assert after.checks["b"](()) is True


def test_a_flag_that_asks_another_is_answered_from_the_new_snapshot():
    before = compile_snapshot(snapshot(a=asking("b"), b=Gates()), surroundings())
    after = compile_snapshot(
        snapshot(2, a=asking("b"), b=Gates(boolean=True)), surroundings(), before
    )
    assert before.checks["a"](()) is False
    assert after.checks["a"](()) is True
    assert before.checks["a"](()) is False


def test_flags_that_ask_each_other_answer_their_default():
    ready = compile_snapshot(snapshot(a=asking("b"), b=asking("a")), surroundings())
    assert ready.flags["a"].decide(()) is Gate.EXPRESSION
    assert ready.checks["b"](()) is True


def test_a_flag_that_asks_itself_is_answered():
    ready = compile_snapshot(snapshot(a=asking("a")), surroundings())
    assert ready.checks["a"](()) is True


def test_a_long_chain_ends_at_the_default():
    chain = {f"f{n}": asking(f"f{n + 1}") for n in range(30)}
    ready = compile_snapshot(snapshot(**chain, f30=Gates()), surroundings())
    assert ready.checks["f0"](()) is True
    assert ready.checks["f25"](()) is False


def test_asking_an_unknown_flag_is_off():
    assert compile_snapshot(snapshot(a=asking("zzz")), surroundings()).checks["a"](()) is False


def test_a_group_that_asks_the_same_flag_does_not_recurse():
    holder = []
    groups = {"staff": lambda _actor: holder[0].checks["a"](("User:1",))}
    ready = compile_snapshot(snapshot(a=Gates(groups=frozenset({"staff"}))), surroundings(groups))
    holder.append(ready)
    assert ready.checks["a"](("User:1",)) is True


def test_a_group_registered_later_counts():
    groups = {}
    ready = compile_snapshot(snapshot(a=Gates(groups=frozenset({"staff"}))), surroundings(groups))
    assert ready.checks["a"](("User:1",)) is False
    groups["staff"] = lambda actor: actor == "User:1"
    assert ready.checks["a"](("User:1",)) is True
    assert ready.checks["a"](()) is False


@pytest.mark.parametrize(
    "gates",
    [
        Gates(actors=frozenset({"User:1"})),
        Gates(percentage_of_actors=Decimal(100)),
        Gates(groups=frozenset({"staff"})),
    ],
)
def test_gates_for_actors_are_closed_without_one(gates):
    ready = compile_snapshot(snapshot(a=gates), surroundings({"staff": lambda _actor: True}))
    assert ready.checks["a"](()) is False
    assert ready.checks["a"]((None,)) is False
    assert ready.checks["a"](("User:1",)) is True


class Project:
    def __init__(self, number):
        self.number = number

    def flipper_id(self):
        return f"Project:{self.number}"


def test_an_object_with_a_method_for_its_id_is_an_actor():
    ready = compile_snapshot(snapshot(a=Gates(actors=frozenset({"Project:7"}))), surroundings())
    assert ready.checks["a"]((Project(7),)) is True
    assert ready.checks["a"](([Project(8), "Project:7"],)) is True
    assert ready.checks["a"]((Project(8),)) is False


def test_something_without_an_id_is_refused_with_a_hint():
    ready = compile_snapshot(snapshot(a=Gates(actors=frozenset({"Project:7"}))), surroundings())
    with pytest.raises(UsageError, match="a int is not an actor"):
        ready.checks["a"]((7,))


def test_a_malformed_expression_names_its_flag():
    with pytest.raises(SnapshotError, match="flag 'a': expression: 'Nope'"):
        compile_snapshot(snapshot(a=Gates(expression={"Nope": []})), surroundings())
