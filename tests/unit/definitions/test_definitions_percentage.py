from decimal import Decimal

import pytest

from flagstaff.definitions import parse_percentage
from flagstaff.errors import UsageError


@pytest.mark.parametrize("text", ["1", "25", "0.001", "99.999", "12.5", "007"])
def test_percentages_are_read_exactly(text):
    assert parse_percentage(text) == Decimal(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("25%", "has a percent sign"),
        ("1e3", "is in exponent notation"),
        ("101", "is above 100"),
        ("100.001", "is above 100"),
        ("-1", "is negative"),
        ("0.0001", "has 4 decimals"),
        ("0", "is nobody"),
        ("0.00", "is nobody"),
        ("100", "is everybody"),
        ("12,5", "has a decimal comma"),
        ("0x10", "is not a number"),
        ("1_0", "is not a number"),
        ("nan", "is not a number"),
        ("\u0665", "uses digits other than 0-9"),
        (".5", "is not a number"),
        ("", "is empty"),
    ],
)
def test_each_mistake_has_a_message_of_its_own(text, what):
    with pytest.raises(UsageError, match=what) as caught:
        parse_percentage(text)
    assert caught.value.hint
