"""Is what there was in the last day told by each kind of source, before anything begins?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from fakes import GUARD, START
from flagstaff.definitions import Project
from flagstaff.definitions.sources import MetricSource, SourceKind
from flagstaff.errors import Unavailable
from flagstaff.integrations.metrics.counters import Counter, begun, grown
from flagstaff.integrations.metrics.traffic import Lately, Traffic, _piece_by_piece
from flagstaff.rollouts.guard import Arm
from flagstaff.rollouts.query import Query

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def lately(tmp_path, source, query, *others, name="errors"):
    guard = replace(GUARD, name=name, logs=(), query=query)
    sources = {each.name: each for each in (source, *others)}
    return Lately(tmp_path, Project(sources=sources), (guard,), START).traffic(guard)


class Counting:
    """Counters as they stood at any time: `there` says which, with what they had counted."""

    def __init__(self, there):
        self.there, self.asked = there, []

    def measure(self, kept, latest, secret):
        del secret
        self.asked.append(latest)
        if kept.place.at is None:
            place = begun("errors", self._at(kept.since), kept.since).place
            kept = replace(kept, place=place)
        found = self._at(latest)
        if not found:
            raise Unavailable("there is no series")
        return grown("errors", found, kept, latest, 2 * DAY)

    def _at(self, at):
        return [
            Counter(
                on=False, bad=bad, labels=(("instance", name),), value=value / (10 if bad else 1)
            )
            for name, value in self.there((at - START) / HOUR).items()
            for bad in (True, False)
        ]


def test_counters_are_followed_over_restarts():
    def there(hour):
        # One process all day, and another that begins at zero again twelve hours before the end.
        return {"a": 1_000 * (hour + 30), "b": 100 * (hour + 30 if hour < -12 else hour + 12)}

    found = _piece_by_piece(Counting(there), START - DAY, START, "")
    assert found == Traffic(seen=Arm(total=24_000 + 2_300, failed=2_400 + 230), over=DAY)


def test_as_far_back_as_there_is_something():
    counters = Counting(lambda hour: {"a": 100 * (hour + 10)} if hour >= -10 else {})
    found = _piece_by_piece(counters, START - DAY, START, "")
    assert (found.seen.total, found.over) == (1_000, 11 * HOUR)


def test_a_source_that_is_away_is_asked_once():
    away = Counting(lambda _: {})
    with pytest.raises(Unavailable):
        _piece_by_piece(away, START - DAY, START, "")
    assert len(away.asked) == 1


def test_a_source_that_soon_tires_is_believed_nothing():
    class Tired(Counting):
        def measure(self, kept, latest, secret):
            if len(self.asked) > 1:
                raise Unavailable("too many questions")
            return super().measure(kept, latest, secret)

    counting = Tired(lambda hour: {"a": 100 * (hour + 30)} if hour > -1.5 else {})
    with pytest.raises(Unavailable, match="too many questions"):
        _piece_by_piece(counting, START - DAY, START, "")


def test_a_guard_that_takes_its_totals_from_another_needs_it_in_the_plan(tmp_path):
    source = MetricSource(
        name="sentry", kind=SourceKind.SENTRY, address="https://sentry.example/api"
    )
    found = lately(tmp_path, source, Query(source="sentry", exposure="requests"))
    assert "requests, which is no guard of this plan" in found.error
    assert "add requests to the plan" in found.error


def test_a_database_tells_both_sides_together(tmp_path):
    address = f"sqlite:///{tmp_path / 'shop.db'}"
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (at TEXT, variant TEXT, failed INTEGER)"))
        times = [START - HOUR * hours for hours in (1, 2, 3, 23, 25)]
        rows = [
            {"at": at.strftime("%Y-%m-%d %H:%M:%S"), "variant": variant, "failed": failed}
            for at, variant, failed in zip(
                times, ("off", "off", "on", "off", "off"), (0, 1, 0, 0, 1), strict=True
            )
        ]
        connection.execute(text("INSERT INTO orders VALUES (:at, :variant, :failed)"), rows)
    engine.dispose()
    source = MetricSource(name="orders", kind=SourceKind.SQL, address=address, lag=timedelta(0))
    statement = (
        "SELECT variant AS cohort, sum(failed) AS bad, count(*) AS total FROM orders "
        "WHERE at >= :since AND at < :until GROUP BY variant"
    )
    query = Query(source="orders", statement=statement)
    assert lately(tmp_path, source, query) == Traffic(seen=Arm(total=4, failed=1), over=DAY)
    broken = lately(tmp_path, source, replace(query, statement="SELECT 1 AS cohort"))
    assert "without the column bad" in broken.error


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (MetricSource(name="x", kind=SourceKind.HTTP, address="http://h/n"), "nothing of the past"),
        (MetricSource(name="y", kind=SourceKind.HTTP), "no source x in flagstaff.yml"),
    ],
)
def test_what_cannot_be_known_is_said(tmp_path, source, said):
    assert said in lately(tmp_path, source, Query(source="x")).error


def test_what_is_reported_to_the_server_is_not_known_here(tmp_path):
    source = MetricSource(name="x", kind=SourceKind.HTTP)
    assert "is not asked" in lately(tmp_path, source, Query(source="flagstaff")).error
