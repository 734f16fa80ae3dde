"""Is a condition read as it is written, and does what is none say so?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from flagstaff.errors import UsageError
from flagstaff.rollouts.condition import Facts, Place, decide, parse_condition

FACTS = Facts(
    flag="new_navigation",
    type="worker",
    percentage=Decimal(25),
    places=(
        Place(environment="production", state="conditional", percentage=Decimal(25)),
        Place(environment="pre-prod.eu", state="unset", percentage=Decimal(0)),
    ),
    rollouts=(("other_flag", "completed"),),
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("percentage >= 25", True),
        ("percentage > 25%", False),
        ("production.percentage == 25.0", True),
        ("production.state != on", True),
        ("pre-prod.eu.state == unset", True),
        ("flag.type == worker and flag.name == new_navigation", True),
        ("other_flag.rollout == completed", True),
        ("third.rollout == none", True),
        ("not percentage < 10", True),
        ("flag.type == ops or percentage > 10 and percentage < 30", True),
        ("(flag.type == ops or percentage > 10) and percentage > 30", False),
        ("nowhere.state == on", None),
        ("nowhere.state == on or percentage > 1", True),
        ("nowhere.state == on and percentage > 90", False),
        ("flag.type > 3", None),
    ],
)
def test_what_holds(text, holds):
    assert decide(text, FACTS).holds is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "percentage",
        "percentage >=",
        "percentage = 3",
        "percentage >= many",
        "mood == good",
        ".state == on",
        "(percentage > 3",
        "percentage > 3)",
        "percentage > 3 percentage < 9",
        "not",
        "percentage > 3 and",
        "percentage > $x",
        "__import__('os').system('x') == 1",
        "(" * 400,
        "not " * 120 + "percentage > 3",
        "percentage > 3 or " * 50 + "percentage > 3",
    ],
)
def test_what_is_none(text):
    with pytest.raises(UsageError, match="this is no condition"):
        parse_condition(text)
    assert decide(text, FACTS).holds is None


def test_it_says_what_it_asks_about():
    found = parse_condition("a.rollout == completed and dev.state == on and b.rollout != running")
    assert (found.flags, found.places) == (("a", "b"), ("dev",))
