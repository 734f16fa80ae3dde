"""Is every event of a growing counter told once?"""

from __future__ import annotations

from flagstaff.rollouts.evidence.counts import Counts, Missing, Tally
from flagstaff.rollouts.evidence.place import Place, read_on


def counters(total, bad, off_total=1000, off_bad=10):
    return Tally(total=total, bad=bad), Tally(total=off_total, bad=off_bad)


def test_the_first_reading_marks_the_place():
    place, reading = read_on(Place(), *counters(500, 7), poll=1, elapsed=15.0, stage=2)
    assert reading == Counts(poll=1, elapsed=15.0, stage=2)
    assert place == Place(treatment=Tally(total=500, bad=7), control=Tally(total=1000, bad=10))


def test_what_is_new_is_told_once_even_after_a_crash():
    place, _ = read_on(Place(), *counters(500, 7), poll=1, elapsed=15.0)
    _, lost = read_on(place, *counters(600, 9, 1100, 11), poll=2, elapsed=30.0)
    assert lost.treatment == Tally(total=100, bad=2)
    after, again = read_on(place, *counters(650, 9, 1200, 11), poll=3, elapsed=45.0)
    assert again.treatment == Tally(total=150, bad=2)
    assert again.control == Tally(total=200, bad=1)
    assert read_on(after, *counters(650, 9, 1200, 11), poll=4, elapsed=60.0)[1].treatment == Tally()


def test_a_counter_that_fell_drops_both_sides_and_goes_on_from_there():
    place, _ = read_on(Place(), *counters(500, 7), poll=1, elapsed=15.0)
    place, reading = read_on(place, *counters(3, 0, 1100, 11), poll=2, elapsed=30.0)
    assert isinstance(reading, Missing)
    assert "fell" in reading.reason
    _, reading = read_on(place, *counters(13, 1, 1200, 12), poll=3, elapsed=45.0)
    assert reading.treatment == Tally(total=10, bad=1)
    assert reading.control == Tally(total=100, bad=1)


def test_failures_without_calls_are_no_reading():
    place, _ = read_on(Place(), *counters(500, 7), poll=1, elapsed=15.0)
    assert isinstance(read_on(place, *counters(500, 8), poll=2, elapsed=30.0)[1], Missing)
