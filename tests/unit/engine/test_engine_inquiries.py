"""Is what was said last believed, and only for the question that it answers?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from flagstaff.engine.inquiries import Inquiries
from flagstaff.rollouts.checks import CheckDrained
from flagstaff.rollouts.event import Answer

BEFORE = CheckDrained(name="old", broker="main", stable=timedelta(seconds=1))
EDITED = CheckDrained(name="old", broker="main", stable=timedelta(seconds=1), cleaned_up=True)


class Outside:
    def __init__(self):
        self.asked = []

    def check(self, check, *, key, flag):
        assert (key, flag) == ("1/a/0", "f")
        self.asked.append(check)
        return Answer(yes=check.cleaned_up, text=f"answer {len(self.asked)}")


@pytest.fixture
def ask():
    outside, woken = Outside(), []
    inquiries = Inquiries(outside, woken.append)

    def asking(check):
        said = inquiries.answer("1/a/0", check, number=1, flag="f")
        inquiries.join(60)
        return said and said.text

    asking.outside, asking.woken = outside, woken
    return asking


def test_the_last_answer_holds_for_a_while_and_who_waits_is_woken(ask):
    assert [ask(BEFORE), ask(BEFORE), ask(BEFORE)] == [None, "answer 1", "answer 1"]
    assert (ask.outside.asked, ask.woken) == ([BEFORE], [1])


def test_a_step_that_was_edited_is_asked_anew_at_once(ask):
    assert [ask(BEFORE), ask(EDITED), ask(EDITED)] == [None, None, "answer 2"]
    assert ask.outside.asked == [BEFORE, EDITED]
