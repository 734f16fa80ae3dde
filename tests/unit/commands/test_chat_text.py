"""Does a command survive keyboards and chat programs?"""

from __future__ import annotations

import pytest

from flagstaff.commands.chat_text import words_of
from flagstaff.errors import UsageError

PLAIN = ("feature", "set", "x", "25", "--actors")


@pytest.mark.parametrize(
    "line",
    [
        "/chatops run feature set x 25 --actors",
        "/chatops gitlab run feature set x 25 --actors",
        "run feature set x 25 --actors",
        "feature set x 25 --actors",
        "  `/chatops run feature set x 25 --actors`",
        "```/chatops run feature set x 25 --actors```",
        "/chatops run feature set `x` 25 --actors.",
        "/chatops run feature set x 25 \u2014actors",
        "/chatops run feature set x 25 \u2013actors!",
        "/chatops run feature set x 25 -\u2013actors",
        "/chatops\u00a0run\u00a0feature set x\u200925 --actors",
        "/chatops run feature set \u200bx 25 --actors\ufeff",
        "/Chatops run feature set x 25 --actors",
        "/chatops run feature set x 25 \u2010\u2010actors",
        "feature set \u201cx\u201d \u201825\u2019 --actors",
    ],
)
def test_the_same_words_however_they_were_typed(line):
    assert words_of(line) == PLAIN


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "release check <https://a.b/-/1|!1> 15.2",
            ("release", "check", "https://a.b/-/1", "15.2"),
        ),
        ("check <https://a.b/?x=1&amp;copy=2>", ("check", "https://a.b/?x=1&copy=2")),
        ("say <#C1|production>", ("say", "production")),
        ("set &lt;name&gt; true", ("set", "<name>", "true")),
        ('a --reason="two words" b', ("a", "--reason=two words", "b")),
        ("a --reason 'it broke.'", ("a", "--reason", "it broke.")),
        ("a --reason \u201cdon\u2019t know\u201d", ("a", "--reason", "don't know")),
        ("a it's b", ("a", "it's", "b")),
        ('a "open b', ("a", '"open', "b")),
        ("set x \u22125", ("set", "x", "-5")),
        ("status 15.2.", ("status", "15.2")),
    ],
)
def test_what_chat_programs_add_is_taken_away(line, words):
    assert words_of(line) == words


@pytest.mark.parametrize("line", ["", " ", "/chatops run", "/chatops", "...", "`"])
def test_a_line_without_a_command_says_so(line):
    with pytest.raises(UsageError, match="there is no command"):
        words_of(line)


def test_a_command_of_another_program_is_not_ours():
    with pytest.raises(UsageError, match="another program"):
        words_of("/deploy production")
