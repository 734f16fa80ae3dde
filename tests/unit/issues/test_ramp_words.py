"""What an issue says beside a command about percentages and lengths is read, or said not to be."""

from __future__ import annotations

import pytest

from flagstaff.issues.ramp_words import LENGTH_UNREAD, SHARES_UNREAD
from flagstaff.rollouts.plan import Bake, SetGate

RAMP = "`/chatops run feature set quick_search <percentage> --actors`"
HEAD = "# [FF] `quick_search`\n\n"
CONFIGURED = {"10": 5, "50.5": 5}


def read(importing, text):
    """Return the minutes at each value, and the hint of the command's line."""
    imported = importing(HEAD + text)
    actions = [step.action for step in imported.plan.steps]
    sets = [each for each in actions if isinstance(each, SetGate)]
    bakes = [each.duration.total_seconds() / 60 for each in actions if isinstance(each, Bake)]
    held = {str(each.change.value): time for each, time in zip(sets, bakes, strict=True)}
    (line,) = [each for each in imported.lines if each.understood_as == "command"]
    return held, line


@pytest.mark.parametrize(
    ("words", "held"),
    [
        ("Ramp 10%, 50%, 10 min each", {"10": 10, "50": 10}),
        ("Ramp 10% and 50%, 10 min each", {"10": 10, "50": 10}),
        ("Ramp 10% for 1 hour, then 50% for 1 day", {"10": 60, "50": 24 * 60}),
        ("Ramp 10% (1h), 50% (2 hours)", {"10": 60, "50": 120}),
        ("Ramp 10% for 1 hour, then 50%", {"10": 60, "50": 5}),
        ("Ramp 10%, then 50% for 1 hour", {"10": 60, "50": 60}),
        ("Ramp: 10, 50, 100", {"10": 5, "50": 5, "100": 5}),
        ("10%, 50%: 30 min each", {"10": 30, "50": 30}),
        ("Ramp 10%, 50%, one hour apart", {"10": 60, "50": 60}),
        ("Go to 5%, then 25%, then 50% of all, let it sit for 30 min each",
         {"5": 30, "25": 30, "50": 30}),
        ("Go on (wait 30 min between steps)", {"10": 30, "50.5": 30}),
        ("Open it, 30 minutes per step", {"10": 30, "50.5": 30}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("box", ["- [ ] {}: {}\n", "- {}:\n  - [ ] {}\n"])
def test_percentages_and_lengths_in_words_are_read(importing, words, held, box):
    found, line = read(importing, box.format(words, RAMP))
    assert (found, line.hint) == (held, "")


def test_lengths_of_their_own_stand_in_the_report(importing):
    _, line = read(importing, f"- [ ] Ramp 10% for 1 hour, then 50% for 1 day: {RAMP}\n")
    assert line.detail == "ramp in production: 10 --actors for 1 h, 50 --actors for 1 d"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("Ramp 50%, then 10%", SHARES_UNREAD),
        ("Go to 10 and 50", SHARES_UNREAD),
        ("Begin at 10%", SHARES_UNREAD),
        ("Ramp over two days", LENGTH_UNREAD),
        ("Wait 1 hour or 2 days each", LENGTH_UNREAD),
        ("At 30% go on after 2 days or 3 days", f"{SHARES_UNREAD}; {LENGTH_UNREAD}"),
    ],
)
def test_what_is_not_understood_is_said_where_the_defaults_are_taken(importing, words, hint):
    found, line = read(importing, f"- [ ] {words}: {RAMP}\n")
    assert (found, line.hint) == (CONFIGURED, hint)


def test_a_length_that_is_shorter_than_the_configured_one_is_said(importing):
    found, line = read(importing, f"- [ ] Ramp 10%, 50%, 2 min each: {RAMP}\n")
    assert found == {"10": 5, "50": 5}
    assert "the text says 2 min; the longer 5 min" in line.hint


@pytest.mark.parametrize(
    ("command", "value"),
    [("25 --actors", "25"), ("true", "True"), ("true --staging", "True")],
)
def test_one_change_is_held_as_long_as_the_words_beside_it_say(importing, command, value):
    text = f"- [ ] `/chatops run feature set quick_search {command}` and let it bake for 2 hours\n"
    found, line = read(importing, text + "- [ ] Look at it\n")
    assert found == {value: 120}
    assert "2 h" in line.detail


def test_a_length_that_is_about_people_is_no_wait(importing):
    text = (
        "- [ ] `/chatops run feature set quick_search 25 --actors`, with somebody around for 2 h\n"
    )
    found, line = read(importing, text)
    assert (found, line.hint) == ({"25": 5}, LENGTH_UNREAD)
