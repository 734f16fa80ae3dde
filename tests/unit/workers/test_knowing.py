"""Which workers have to know a name, and which count?"""

from __future__ import annotations

import pytest

from flagstaff.workers.asking import Answers
from flagstaff.workers.knowing import who_knows

NEW = "integrations.notify"


class Workers:
    """Workers that answer: by node, what each knows."""

    def __init__(self, *, expected=0, **knows):
        self._knows = {node.replace("_", "-") + "@test": names for node, names in knows.items()}
        self._expected = expected

    def ask(self, command):
        said = {
            node: names if command == "registered" else [{"name": "shop"}]
            for node, names in self._knows.items()
        }
        reached = len(said)
        return Answers(replies=tuple(said.items()), reached=reached, expected=self._expected)


@pytest.mark.parametrize(
    ("workers", "problems"),
    [
        (Workers(one=[NEW], two=[f"{NEW} [rate_limit=1/s]"]), ()),
        (Workers(one=[NEW], two=["other"]), (f"two@test does not know {NEW}",)),
        (Workers(one=[NEW], two_ending_7=["other"]), ()),
        (Workers(two_ending_7=[NEW]), ("no worker answers",)),
        (
            Workers(one=[NEW], two_ending_7=[NEW], expected=2),
            ("1 of 2 expected workers answered",),
        ),
    ],
)
def test_those_that_take_jobs_have_to_know_it_and_count(workers, problems):
    assert who_knows(workers, NEW).problems == problems
