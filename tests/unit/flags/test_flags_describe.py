"""Do the words say who gets a flag, and what a change took away?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from flagstaff.flags.describe import describe, removed_gates
from flagstaff.flags.gates import Gates

GOLD = {"Equal": [{"Property": ["plan"]}, "gold"]}
FREE = {"Equal": [{"Property": ["plan"]}, "free"]}


def actors(*ids):
    return frozenset(ids)


@pytest.mark.parametrize(
    ("gates", "words"),
    [
        (None, "not set: default off"),
        (Gates(), "off for everyone (explicitly)"),
        (Gates(boolean=True), "on for everyone"),
        (Gates(boolean=True).opt_out("User:3"), "on for everyone, except User:3"),
        (
            Gates(percentage_of_actors=Decimal(25), actors=actors("Project:7")),
            "on for 25 % of actors and Project:7",
        ),
        (
            Gates(percentage_of_time=Decimal(10)),
            "on 10 % of the time (each check draws again)",
        ),
        (Gates(percentage_of_time=Decimal(100)), "on for everyone (100 % of the time)"),
        (
            Gates(percentage_of_time=Decimal(10), groups=actors("staff")),
            "on for group staff; for others on 10 % of the time (each check draws again)",
        ),
        (Gates(groups=actors("a", "b")), "on for groups a and b"),
        (
            Gates(actors=actors(*(f"User:{n}" for n in range(1, 7)))),
            "on for User:1, User:2, User:3 and 3 more",
        ),
        (Gates(expression={"All": []}), "on for actors that match the expression"),
        (Gates().opt_out("User:3"), "off for everyone; opted out: User:3"),
    ],
)
def test_describe(gates, words):
    assert describe(gates, default=False) == words


def test_describe_of_a_default_that_is_on():
    assert describe(None, default=True) == "not set: default on"


def test_removed_gates_names_all_that_a_full_enable_wipes():
    before = Gates(
        actors=actors("User:1", "User:2", "User:3", "User:4:opt_out"),
        percentage_of_actors=Decimal(5),
        percentage_of_time=Decimal(25),
        groups=actors("staff"),
        expression={"All": []},
    )
    assert removed_gates(before, before.enable()) == (
        "the expression",
        "3 actors",
        "1 opt-out",
        "5 % of actors",
        "25 % of time",
        "1 group",
    )


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (Gates(boolean=True), Gates(percentage_of_actors=Decimal(1)), ("on for everyone",)),
        (Gates(percentage_of_actors=Decimal(50)), Gates(percentage_of_actors=Decimal(25)), ()),
        (None, Gates(boolean=True), ()),
        (Gates(actors=actors("User:1")), None, ("1 actor",)),
        (Gates(expression=GOLD), Gates(expression=FREE), ("the expression before",)),
        (Gates(expression=GOLD), Gates(expression=GOLD, boolean=True), ()),
        (Gates(expression=GOLD), Gates(), ("the expression",)),
    ],
)
def test_removed_gates(before, after, words):
    assert removed_gates(before, after) == words
