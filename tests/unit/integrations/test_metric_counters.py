"""Is what counters grew counted once, whatever becomes of the processes behind them?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import START
from flagstaff.errors import Unavailable
from flagstaff.integrations.metrics.counters import MOST_COUNTERS, Counter, begun, grown
from flagstaff.rollouts.guard import Arm, Kept

GAP = timedelta(minutes=5)


def counter(value, instance="a", *, on=True, bad=False):
    return Counter(on=on, bad=bad, labels=(("instance", instance),), value=value)


class Reading:
    """Reads again and again, committing each time, a number of seconds later."""

    def __init__(self, *counters):
        self.at = START
        first = begun("g", counters, START)
        self.kept = Kept(since=START, place=first.place)

    def __call__(self, *counters, after=15.0):
        self.at += timedelta(seconds=after)
        self.measured = grown("g", counters, self.kept, self.at, GAP)
        self.kept = replace(
            self.kept,
            treatment=self.measured.treatment,
            control=self.measured.control,
            place=self.measured.place,
        )
        return self.kept.treatment.total


def test_what_was_before_the_watch_is_none_of_it():
    read = Reading(counter(1_000))
    assert read(counter(1_000)) == 0
    assert read(counter(1_004)) == 4


def test_a_counter_that_is_lower_began_again():
    read = Reading(counter(100))
    assert read(counter(30)) == 30
    assert read(counter(31)) == 31


def test_a_new_counter_counts_from_nothing():
    read = Reading(counter(100))
    assert read(counter(100), counter(7, "b")) == 7


def test_one_that_comes_back_goes_on_where_it_was():
    read = Reading(counter(100), counter(50, "b"))
    assert read(counter(101)) == 1
    assert read(counter(102), counter(60, "b")) == 12


def test_one_that_was_away_too_long_starts_anew():
    read = Reading(counter(100), counter(50, "b"))
    for number in range(6):
        read(counter(100), after=60)
        del number
    assert read(counter(100), counter(900, "b"), after=60) == 0
    assert read(counter(100), counter(903, "b"), after=60) == 3


def test_after_a_gap_counting_goes_on_and_the_gap_is_left_out():
    read = Reading(counter(100))
    assert read(counter(900), counter(80, "new"), after=301) == 0
    assert read(counter(905), counter(81, "new")) == 6


def test_each_number_lands_on_its_side():
    read = Reading()
    read(
        counter(10),
        counter(2, bad=True),
        counter(90, on=False),
        counter(3, on=False, bad=True),
    )
    assert read.kept.treatment == Arm(total=10, failed=2)
    assert read.kept.control == Arm(total=90, failed=3)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_what_is_no_count_is_no_reading(value):
    read = Reading(counter(1))
    with pytest.raises(Unavailable, match="no count"):
        read(counter(value))


def test_two_counters_that_cannot_be_told_apart_are_no_reading():
    with pytest.raises(Unavailable, match="same labels"):
        begun("g", [counter(1), counter(2)], START)


def test_too_many_counters_are_no_reading():
    many = (counter(1, str(number)) for number in range(MOST_COUNTERS + 1))
    with pytest.raises(Unavailable, match="more than 1,000"):
        begun("g", many, START)
