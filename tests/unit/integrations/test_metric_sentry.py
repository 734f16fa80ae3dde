"""Does a guard on Sentry count people who met an error, once, against the totals of that time?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import GUARD, START
from flagstaff.definitions import Project
from flagstaff.definitions.sources import MetricSource, SourceKind
from flagstaff.integrations.metrics.sources import Sources
from flagstaff.rollouts.guard import Arm, Exposed, Kept
from flagstaff.rollouts.query import Query
from sentry_standin import TOKEN, Sentry

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

SECOND = timedelta(seconds=1)


@pytest.fixture
def sentry():
    server = Sentry()
    yield server
    server.close()


class Watching:
    """Looks every 15 s as the engine does, beside a guard that counts 10 requests a second."""

    def __init__(self, root, sentry):
        (root / "token").write_text(TOKEN)
        source = MetricSource(
            name="web",
            kind=SourceKind.SENTRY,
            address=sentry.url,
            organization="acme",
            project="42",
            token_file="token",
            lag=60 * SECOND,
        )
        query = Query(source="web", label="rollout.checkout", exposure="requests")
        self.guard = replace(GUARD, query=query)
        self.now = START
        self.sources = Sources(root, Project(sources={"web": source}), now=lambda: self.now)
        self.kept = Kept(since=START, changes=(START,))
        self.errors = []

    def until(self, seconds):
        """Go on to so many seconds after the start, and return what is in the evidence then."""
        while self.now < START + seconds * SECOND:
            self.now += 15 * SECOND
            read = int((self.now - START).total_seconds())
            exposed = Exposed(treatment=read, control=9 * read, at=self.now)
            self.kept = replace(self.kept, exposed=exposed)
            found = self.sources.measure(self.guard, self.guard.query, self.kept)
            if found.error:
                self.errors.append(found.error)
            elif found.behind < len(self.kept.changes):
                self.kept = replace(
                    self.kept,
                    treatment=found.treatment,
                    control=found.control,
                    place=found.place,
                )
        return self.kept


@pytest.fixture
def watching(tmp_path, sentry):
    return Watching(tmp_path, sentry)


def test_people_are_counted_against_the_totals_of_the_same_time(watching, sentry):
    for second in range(0, 600, 10):
        sentry.add(START + second * SECOND, f"u{second % 50}", rollout__checkout="on")
        sentry.add(START + second * SECOND, f"v{second}", rollout__checkout="off")
    sentry.add(START - 5 * SECOND, "early", rollout__checkout="on")
    kept = watching.until(300)
    assert not watching.errors
    at = int((kept.place.at - START).total_seconds())
    assert 120 <= at <= 240  # a minute ago, and read once a minute
    assert kept.treatment == Arm(total=at, failed=5)
    assert kept.control == Arm(total=9 * at, failed=-(-at // 10))


def test_events_that_come_late_still_count(watching, sentry):
    sentry.add(START, "alive")
    first = watching.until(200)
    sentry.add(first.place.at - 10 * SECOND, "late", rollout__checkout="on")
    assert first.treatment.failed == 0
    assert watching.until(400).treatment.failed == 1


def test_it_is_asked_once_a_minute_and_again_after_it_refused(watching, sentry):
    sentry.add(START, "x", rollout__checkout="on")
    sentry.refusals = [429]
    kept = watching.until(600)
    assert set(watching.errors) == {"Sentry (web) is asked too often"}
    assert len(sentry.asked) <= 30
    assert kept.treatment.failed == 1


def test_a_reading_ends_where_the_flag_changed(watching, sentry):
    sentry.add(START, "alive")
    change = START + 150 * SECOND
    watching.until(150)
    watching.kept = replace(watching.kept, changes=(START, change))
    places = set()
    for seconds in range(165, 500, 15):
        places.add(watching.until(seconds).place.at)
    assert change in places


def test_zero_means_none_only_when_the_project_is_alive(watching, sentry):
    watching.until(120)
    assert "no event at all for an hour" in watching.errors[-1]
    sentry.add(START + 10 * SECOND, "anyone")
    assert watching.until(300).treatment.total > 0


def test_events_without_people_are_no_data(watching, sentry):
    sentry.add(START + SECOND, None, rollout__checkout="on")
    watching.until(120)
    assert "has events of nobody" in watching.errors[-1]


def test_a_wrong_token_is_no_data(watching, tmp_path):
    (tmp_path / "token").write_text("wrong")
    watching.until(120)
    assert watching.errors[-1] == "Sentry (web) answers 401: Invalid token"
