"""Which words set an expression, and do they teach when they are wrong?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flagstaff.commands.codec import decode, decode_command, encode, encode_command
from flagstaff.commands.grammar import parse, parse_line
from flagstaff.commands.model import SetFlag
from flagstaff.commands.remote import encoded
from flagstaff.errors import UsageError
from flagstaff.flags import expression
from flagstaff.flags.change import Expression, GateChange
from flagstaff.flags.operators import PURE

GOLD = {"Equal": [{"Property": ["plan"]}, "gold"]}
NESTED = {"All": [GOLD, {"Any": [True, 1, 0.5, {"Now": None}]}]}


def set_to(value):
    return SetFlag(flag="x", environments=("dev",), change=Expression(value=value))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (f"feature set x --expression '{json.dumps(GOLD)}' --dev", GOLD),
        (f"feature set x --dev --expression='{json.dumps(NESTED)}'", NESTED),
        ("flag set x --expression ‘{“Property”: [“staff”]}’ --dev", {"Property": ["staff"]}),  # noqa: RUF001
        ("/chatops run feature set x --expression none --dev", None),
    ],
)
def test_a_line_sets_an_expression_or_takes_it_away(line, value):
    assert parse_line(line) == set_to(value)


def test_a_terminal_hands_over_the_words_as_they_are():
    words = ["feature", "set", "x", "--dev", "--expression", json.dumps(GOLD)]
    assert parse(words) == set_to(GOLD)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["true", "--expression", "none"], "stands in place of the value `true`", "leave out"),
        (["--actors", "--expression", "none"], "and `--actors` are two", "another command"),
        (["--user=a", "--expression", "none"], "and `a scope` are two", "another command"),
        (["--expression", "{'All': 1}"], "is not JSON: ", "write for example --expression '{"),
        (["--expression", "[]"], "not one operator", "`--expression none` to take it away"),
        (["--expression", '{"All": [NaN]}'], "NaN is no number", "--expression"),
        (["--expression", '{"All": 1, "All": 2}'], "the same key twice", "--expression"),
        (["--expression", '{"Alll": [1]}'], "'Alll' is not an operator", "operators are"),
        (["--expression", '{"All": []}'], "All or Any is empty", "open to everybody"),
        (["--expression", '{"All": ["\\ud800"]}'], "JSON cannot hold", "plain numbers"),
        (["--expression", "[" * 100_000], "nested too deeply", "flatter"),
        ([], "VALUE is missing", "NAME VALUE"),
    ],
)
def test_what_is_wrong_is_said_with_the_remedy(words, message, hint):
    with pytest.raises(UsageError) as caught:
        parse(["feature", "set", "x", *words])
    assert caught.value.message.startswith("`feature set`: ")
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("value", [GOLD, NESTED, None])
def test_it_travels_as_json_and_comes_back(value):
    command = set_to(value)
    for form in (encode_command(command), encoded(command)):
        assert decode_command(json.loads(json.dumps(form))) == command
    change = command.change
    assert decode(encode(change, GateChange), GateChange) == change


@pytest.mark.parametrize("value", [[], "none", 5, True])
def test_what_is_no_object_is_no_command(value):
    body = encode_command(set_to(None))
    with pytest.raises(UsageError):
        decode_command({**body, "change": {"kind": "Expression", "value": value}})


@pytest.mark.parametrize("value", [GOLD, {"Equal": [{"Property": ["name"]}, "O'Hara"]}, None])
def test_the_change_in_words_is_the_command(value):
    words = str(Expression(value=value))
    if value == GOLD:
        assert parse_line(f"feature set x {words} --dev") == set_to(value)
    assert words.startswith("--expression ")


def test_the_howto_names_every_operator_and_its_command_is_right():
    page = (Path(__file__).parents[3] / "docs/howto/use-the-sdk.md").read_text()
    part = page.partition("The operators are Flipper's")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", part)) == {*PURE, *expression._SPECIAL}
    for line in re.findall(r"(?m)^flagstaff (feature set .* --expression .*)$", page):
        assert isinstance(parse_line(line).change, Expression)
