"""Is what applications report counted once, over lost reports and restarts on both ends?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import START
from flagstaff.errors import Unavailable
from flagstaff.integrations.metrics.reported import Reported
from flagstaff.rollouts.guard import Arm, Kept
from flagstaff.rollouts.query import Query
from flagstaff.sdk.outcomes import slow_kind
from flagstaff.services.telemetry import Heartbeat, Outcome, Telemetry

SECOND = timedelta(seconds=1)


class Shop:
    """A server, and processes that report to it; reading commits what is read."""

    def __init__(self):
        self.kept = Kept(since=START, changes=(START,))
        self.now = START
        self.restart()

    def restart(self):
        self.telemetry = Telemetry()
        query = Query(source="flagstaff", bad="5xx", flag="checkout")
        self.reader = Reported(self.telemetry, "g", query)

    def report(self, instance, *, on, bad=0, age=1_000, environment="production", kind="5xx"):
        beat = Heartbeat(instance=instance, environment=environment, at=self.now)
        outcome = Outcome(
            environment=environment,
            instance=instance,
            flag="checkout",
            kind=kind,
            on=on,
            on_bad=bad,
            began=self.now - age * SECOND,
            heard=self.now,
        )
        self.telemetry.report(beat, (), outcomes=[outcome])

    def read(self, after=15):
        self.now += after * SECOND
        found = self.reader.measure(self.kept, self.now, "")
        self.kept = replace(
            self.kept, treatment=found.treatment, control=found.control, place=found.place
        )
        return found.treatment


@pytest.fixture
def shop():
    return Shop()


def test_reports_are_totals_so_none_counts_twice_and_a_lost_one_is_made_good(shop):
    shop.report("a", on=500, bad=50)
    assert shop.read() == Arm()
    shop.report("a", on=510, bad=51)
    shop.report("a", on=510, bad=51)
    assert shop.read() == Arm(total=10, failed=1)
    shop.report("a", on=530, bad=51)
    assert shop.read() == Arm(total=30, failed=1)


def test_a_server_that_lost_its_memory_goes_on(shop):
    shop.report("a", on=10)
    shop.report("b", on=10)
    shop.read()
    shop.restart()
    with pytest.raises(Unavailable, match="no application has reported"):
        shop.read()
    shop.report("a", on=15)
    assert shop.read().total == 5
    shop.report("b", on=17)
    assert shop.read().total == 12


def test_a_new_process_counts_whole_and_an_old_stranger_from_now_on(shop):
    shop.report("a", on=10)
    shop.read()
    shop.now += 10 * SECOND
    shop.report("new", on=7, age=5)
    shop.report("stranger", on=900, age=5_000)
    assert shop.read().total == 7
    shop.report("stranger", on=903, age=5_000)
    assert shop.read().total == 10


def test_other_environments_and_other_kinds_are_left_aside(shop):
    shop.report("a", on=10)
    shop.read()
    shop.report("c", on=10, age=1, environment="staging")
    shop.report("a", on=99, kind="302")
    assert shop.read().total == 0


def test_silence_is_no_data(shop):
    shop.report("a", on=10)
    shop.read()
    with pytest.raises(Unavailable, match="for 60 s"):
        shop.read(after=61)


def test_durations_are_read_by_their_bound_and_an_unknown_one_is_no_data(shop):
    shop.reader = Reported(
        shop.telemetry,
        "g",
        Query(source="flagstaff", bad="requests", flag="checkout", slower_than=0.25),
    )
    shop.report("a", on=100, bad=1)
    with pytest.raises(Unavailable, match="requests over") as caught:
        shop.read()
    assert "slower_than=[0.25]" in caught.value.hint
    shop.report("a", on=10, bad=1, kind=slow_kind("requests", 0.25))
    shop.read()
    shop.report("a", on=30, bad=5, kind=slow_kind("requests", 0.25))
    assert shop.read() == Arm(total=20, failed=4)


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        (
            Query(source="flagstaff", bad="waits", flag="checkout", slower_than=3.0),
            "workers count the jobs that wait over 1 s, 10 s, 60 s",
        ),
        (
            Query(source="flagstaff", bad="retried", flag="checkout"),
            "workers count what ends under the names of `renames.declare(…)`",
        ),
    ],
)
def test_nothing_of_jobs_yet_is_no_data_with_who_counts_them(shop, query, hint):
    with pytest.raises(Unavailable) as caught:
        Reported(shop.telemetry, "g", query).measure(shop.kept, shop.now, "")
    assert caught.value.hint == hint


def test_jobs_are_slow_by_the_bounds_that_workers_count(shop):
    query = Query(source="flagstaff", bad="jobs", flag="checkout", slower_than=3.0)
    with pytest.raises(Unavailable) as caught:
        Reported(shop.telemetry, "g", query).measure(shop.kept, shop.now, "")
    assert caught.value.hint == "workers count the jobs that take over 1 s, 10 s, 60 s"
