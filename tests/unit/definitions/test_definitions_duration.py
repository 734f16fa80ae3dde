from datetime import timedelta

import pytest

from flagstaff.definitions import format_duration, parse_duration
from flagstaff.errors import UsageError


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("15m", timedelta(minutes=15)),
        ("1d", timedelta(days=1)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("90 minutes", timedelta(minutes=90)),
        ("1 Hour 30 min", timedelta(hours=1, minutes=30)),
        ("2w", timedelta(days=14)),
        (" 5s ", timedelta(seconds=5)),
        ("0m", timedelta(0)),
    ],
)
def test_lengths_are_read(text, length):
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("15", "'15' has no unit"),
        ("", "'' is not a length of time"),
        ("at least one day", "is not a length of time"),
        ("1.5h", "is not a length of time"),
        ("-5m", "is not a length of time"),
        ("1:30", "is not a length of time"),
        ("1 fortnight", "has the unknown unit 'fortnight'"),
        ("30m1h", "does not go from long units to short ones"),
        ("1h 2h", "does not go from long units to short ones"),
        ("999999999w", "is longer than ten years"),
        ("\u0661m", "is not a length of time"),
    ],
)
def test_anything_else_is_refused_with_a_hint(text, what):
    with pytest.raises(UsageError, match=what) as caught:
        parse_duration(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=1, hours=2), "1 d 2 h"),
        (timedelta(minutes=90), "1 h 30 min"),
        (timedelta(seconds=61, milliseconds=900), "1 min 1 s"),
        (timedelta(milliseconds=900), "0 s"),
        (timedelta(0), "0 s"),
        (-timedelta(minutes=5), "-5 min"),
    ],
)
def test_lengths_are_written(length, words):
    assert format_duration(length) == words
