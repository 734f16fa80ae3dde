"""Is a percentage read strictly, and is each mistake named?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from flagstaff.errors import UsageError
from flagstaff.flags.percentage import check_percentage, format_percentage, parse_percentage


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("25", 25), ("100", 100), ("0.5", "0.5"), ("0.001", "0.001"), ("12.340", "12.34")],
)
def test_plain_numbers_are_read(text, value):
    assert parse_percentage(text) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("25%", "'25%' has a percent sign", "leave it out: 25"),
        ("%", "'%' has a percent sign", "leave it out: 25"),
        ("1e3", "'1e3' is in exponent notation", "write a number from 0 to 100"),
        ("101", "101 is above 100", "write a number from 0 to 100"),
        ("100.001", "100.001 is above 100", "write a number from 0 to 100"),
        ("-1", "'-1' is negative", "write a number from 0 to 100"),
        ("", "the percentage is empty", "write a number from 0 to 100"),
        ("  ", "the percentage is empty", "write a number from 0 to 100"),
        ("abc.", "'abc.' is not a number", "write a number from 0 to 100"),
        ("25.", "'25.' is not a number", "write a number from 0 to 100"),
        (".5", "'.5' is not a number", "write a number from 0 to 100"),
        ("1_0", "'1_0' is not a number", "write a number from 0 to 100"),
        ("nan", "'nan' is not a number", "write a number from 0 to 100"),
        ("0,5", "'0,5' has a decimal comma", "write a point: 0.5"),
        ("0.0001", "0.0001 has 4 decimals", "use at most three decimals"),
        ("٢٥", "'٢٥' uses digits other than 0-9", "write a number from 0 to 100"),
    ],
)
def test_each_mistake_has_its_own_message(text, what, hint):
    with pytest.raises(UsageError) as caught:
        parse_percentage(text)
    assert caught.value.message == what
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("value", "text"),
    [("25", "25"), ("25.000", "25"), ("0.50", "0.5"), ("1E+2", "100"), ("0", "0"), ("-0", "0")],
)
def test_the_shortest_plain_notation_is_written(value, text):
    assert format_percentage(Decimal(value)) == text


def test_a_float_is_no_percentage():
    with pytest.raises(UsageError):
        check_percentage(0.5)
