"""Whatever is typed, the answer is a command or an explained mistake."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from flagstaff.commands.codec import decode_command, encode_command
from flagstaff.commands.grammar import parse, parse_line
from flagstaff.commands.model import SetFlag
from flagstaff.errors import UsageError
from flagstaff.flags.change import PercentageOfActors
from flagstaff.flags.percentage import format_percentage

KNOWN = st.sampled_from(
    [
        *("/chatops", "run", "feature", "flag", "set", "get", "list", "delete", "x", "true", "25"),
        *("25%", "-5", "1e3", "--actors", "--random", "--dev", "--project=7", "--user", "--step"),
        *("auto_deploy", "status", "rollout", "approve", "1", "--reason", "release", "check"),
        *("deployment", "record", "<name>", "--", "-", "--=", "\u2014", "`", '"', "'", "--dev=1"),
    ]
)
WORDS = st.lists(st.one_of(KNOWN, st.text(max_size=8)), max_size=8)


def answer(reader, asked):
    try:
        return reader(asked), None
    except UsageError as mistake:
        return None, mistake


@given(WORDS)
def test_words_become_a_command_or_an_explained_mistake(words):
    command, mistake = answer(parse, words)
    if mistake is None:
        assert decode_command(encode_command(command)) == command
    else:
        assert mistake.message


@given(st.one_of(st.text(max_size=80), WORDS.map(" ".join)))
def test_a_line_becomes_a_command_or_an_explained_mistake(line):
    _, mistake = answer(parse_line, line)
    assert mistake is None or mistake.message


@given(st.decimals(min_value=0, max_value=100, places=3))
def test_every_percentage_with_three_decimals_is_read_exactly(share):
    command = parse(["feature", "set", "x", format_percentage(Decimal(share)), "--actors"])
    assert isinstance(command, SetFlag)
    assert command.change == PercentageOfActors(value=share)
