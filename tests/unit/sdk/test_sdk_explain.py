"""Do the words of an evaluation say why, and what would change it?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from flagstaff import Actor, Client
from flagstaff.flags.gates import Gates


@pytest.mark.parametrize(
    ("spec", "actors", "words"),
    [
        (True, (), "some_feature is on for nobody in particular: it is on for everyone"),
        (None, (), "some_feature is not set here, so its default answers: off"),
        (False, (), "some_feature is off for nobody in particular: it is off for everyone"),
        (Decimal(25), ("User:1",), "User:1 falls at 9.89 %, and 25 % of actors are open"),
        (Decimal(5), ("User:1",), "User:1 gets it from 9.891 % of actors on"),
        (Decimal(5), (), "and the code asks without an actor"),
        (Gates(actors=frozenset({"User:1"})), ("User:1",), "User:1 is in the list of actors"),
        (Gates(actors=frozenset({"User:1"})), ("User:2",), "off for User:2: it is on for User:1"),
        (Gates(boolean=True).opt_out("User:1"), ("User:1",), "is off for User:1: User:1 is opted"),
        (Gates(percentage_of_time=Decimal(100)), (), "one of the 100 % that are open"),
        (Gates(groups=frozenset({"staff"})), ("User:1",), "belongs to one of the groups staff"),
        (
            Gates(expression={"Equal": [{"Property": ["plan"]}, "gold"]}),
            (Actor("User:1", {"plan": "gold"}),),
            "the expression holds for User:1",
        ),
    ],
)
def test_words(spec, actors, words):
    flags = Client.memory({"some_feature": spec})
    flags.register_group("staff", lambda _actor: True)
    assert words in flags.explain("some_feature", *actors).words


def test_an_unknown_flag_explains_itself():
    assert Client.memory({}).explain("nope").words == "nobody has defined this flag"


def test_what_an_actor_needs_is_exactly_what_opens():
    for number in range(50):
        actor = f"User:{number}"
        flags = Client.memory({"some_feature": Decimal("0.001")})
        words = flags.explain("some_feature", actor).words
        if "gets it from" not in words:
            continue
        needed = Decimal(words.split("gets it from ")[1].split(" %")[0])
        assert Client.memory({"some_feature": needed}).is_enabled("some_feature", actor)
        less = needed - Decimal("0.001")
        assert not Client.memory({"some_feature": less}).is_enabled("some_feature", actor)
