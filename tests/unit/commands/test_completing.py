"""What is offered while a command is written?"""

from __future__ import annotations

import pytest

from flagstaff.commands.completing import MOST, completions
from flagstaff.commands.grammar import GROUPS, parse_line
from flagstaff.errors import UsageError

VALUES = {
    "NAME": [("new_navigation", "on"), ("new_search", "off"), ("dark_mode", "off")],
    "ID": [("12", "new_navigation"), ("7", "dark_mode")],
    "VALUE": [("true", "for everyone"), ("25", "")],
    "ENVIRONMENT": [("staging", ""), ("production", "")],
}


def words(line):
    return [each.word for each in completions(line, VALUES)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rollout ap", ["approve"]),
        ("/chatops run rollout ap", ["approve"]),
        ("fea", ["feature"]),
        ("feature get new", ["new_navigation", "new_search"]),
        ("feature set dark_mode ", ["true", "25"]),
        ("rollout approve ", ["12", "7"]),
        ("rollout approve 1", ["12"]),
        ("feature get dark_mode --pr", ["--production"]),
        ("feature get dark_mode --", ["--all", "--staging", "--production"]),
        ("feature set dark_mode true --rea", ["--reason"]),
        ("feature set dark_mode true --reason ", []),
        ("feature set --reason why new_n", ["new_navigation"]),
        ("audit list --flag new_s", ["new_search"]),
        ("audit list --environment st", ["staging"]),
        ("audit export --format c", ["csv"]),
        ("unlock pro", ["production"]),
        ("person add ", []),
        ("nonsense ", []),
        ("nonsense more", []),
    ],
)
def test_what_is_offered(line, expected):
    assert words(line) == expected


def test_an_empty_line_offers_the_groups():
    assert words("") == sorted(group.name for group in GROUPS)[:MOST]


def test_an_option_is_offered_once():
    assert "--staging" not in words("feature get dark_mode --staging --")


def test_a_completion_is_the_line_with_the_word_and_room_for_the_next():
    (found,) = completions("feature set new_n", VALUES)
    assert (found.line, found.about) == ("feature set new_navigation ", "on")


@pytest.mark.parametrize(
    "line", ["'", '"', "<", "\x00 ", "   ", "- ", "/other thing", "--", "a" * 999]
)
def test_whatever_is_typed_nothing_breaks(line):
    for each in completions(line, VALUES):
        assert each.line.startswith(line[: line.rfind(" ") + 1])


def test_what_is_completed_can_be_carried_out():
    line = ""
    for begun in ("fea", "se", "dark", "tr", "--sta"):
        line = completions(line + begun, VALUES)[0].line
    assert "SetFlag" in repr(parse_line(line))
    with pytest.raises(UsageError):
        parse_line("feature set")
