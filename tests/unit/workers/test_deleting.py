"""Is a queue left alone that a worker takes jobs from, though it answered only once?"""

from __future__ import annotations

import pytest

from flagstaff.errors import Conflict
from flagstaff.workers.asking import Answers
from flagstaff.workers.deleting import delete_queue

TAKES_FROM_SHOP = Answers(replies=(("one@test", [{"name": "shop"}]),), reached=1)
SILENCE = Answers(replies=(), reached=1)


class Busy:
    """Asks workers who answer the first question, and are too busy for another."""

    def __init__(self):
        self._answers = [TAKES_FROM_SHOP]

    def ask(self, _command):
        return self._answers.pop() if self._answers else SILENCE


def test_what_a_worker_said_once_counts():
    with pytest.raises(Conflict, match="1 workers take jobs from it"):
        delete_queue(None, Busy(), "shop")
