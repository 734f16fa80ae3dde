"""Does the history of evidence stay small, and is what is thinned out the old?"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import GUARD, START, plan_of, ramp
from flagstaff.rollouts.guard import Arm, Standing
from flagstaff.store import evidence
from flagstaff.store.evidence import KEPT, Point, slot_of

MONTH = 30 * 24 * 60
"""Polls of a rollout of thirty days that is polled every minute."""


def point(number, poll, guard="jobs"):
    return Point(
        rollout_id=number,
        began=1,
        guard=guard,
        poll=poll,
        at=START + timedelta(minutes=poll),
        stage=1,
        percentage=12.5,
        standing=Standing.COLLECTING,
        treatment=Arm(total=2**40 + poll, failed=poll),
        control=Arm(total=poll, failed=0),
        ratio=1.5,
        low=0.25,
        high=None,
        harm=-690.0,
        harm_limit=3.0,
        safe=0.5,
        safe_limit=2.3,
    )


def left(polls):
    """Return the polls that are still there after so many."""
    return sorted({slot_of(poll): poll for poll in range(polls)}.values())


def test_a_month_is_a_few_hundred_points():
    assert len(left(MONTH)) <= 400
    assert len(left(12 * MONTH)) <= 550


@given(st.integers(min_value=1, max_value=20_000))
def test_what_is_left_is_the_denser_the_younger(polls):
    there = left(polls)
    assert there[-1] == polls - 1
    assert there[-KEPT:] == list(range(max(0, polls - KEPT), polls))
    for older, younger in pairwise(there):
        assert younger - older <= max(1, (polls - older) // KEPT)
    assert there[0] <= polls // KEPT


def test_points_come_back_as_they_were_and_later_ones_take_their_place(database, added):
    number, other = added(plan_of(ramp(10), guards=(GUARD,))), 0
    with database.write() as connection:
        for first in range(0, 1000, 100):
            polls = range(first, first + 100)
            evidence.keep(connection, [point(number, each) for each in polls])
        evidence.keep(connection, [point(number, 0, guard="other")])
        evidence.keep(connection, [])
    with database.read() as connection:
        found = evidence.find(connection, number, guard="jobs")
        assert evidence.find(connection, other) == []
        assert len(evidence.find(connection, number)) == len(found) + 1
        young = evidence.find(
            connection, number, guard="jobs", since=START + timedelta(minutes=990)
        )
    assert found == [point(number, each) for each in left(1000)]
    assert [each.poll for each in young] == list(range(990, 1000))


@pytest.mark.parametrize("level", range(5))
def test_a_slot_is_taken_again_by_a_poll_of_its_own_kind_alone(level):
    poll = 2**level - 1
    taken = [later for later in range(poll + 1, 10_000) if slot_of(later) == slot_of(poll)]
    assert taken[0] == poll + KEPT * 2 ** (level + 1)
