"""Is what there was in the last day told by each kind of source, before anything begins?"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

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
from sentry_standin import TOKEN, Sentry

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def lately(tmp_path, source, query, *others, name="errors"):
    guard = replace(GUARD, name=name, logs=(), query=query)
    sources = {each.name: each for each in (source, *others)}
    return Lately(tmp_path, Project(sources=sources), (guard,), START).traffic(guard)


def test_of_job_logs_those_count_that_a_guard_in_pairs_can_compare(tmp_path):
    entry = {"class": "Old", "job_status": "fail", "completed_at": (START - HOUR).isoformat()}
    lines = [entry | {"duration_s": 2.5}, entry | {"elapsed": 7}, entry]
    (tmp_path / "log").mkdir()
    (tmp_path / "log/a.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    guard = replace(GUARD, ranked=True)
    found = Lately(tmp_path, Project(), (guard,), START).traffic(guard)
    assert found == Traffic(seen=Arm(total=2), over=DAY)


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


@pytest.fixture
def site():
    """Serve what `counts` says of two times, in seconds since 1970."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = parse_qs(urlsplit(self.path).query)
            since, until = (float(asked[each][0]) for each in ("from", "to"))
            body = json.dumps(self.server.counts(since, until)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def shop(site, lag=timedelta(0)):
    address = f"http://127.0.0.1:{site.server_address[1]}/counts?from={{since}}&to={{until}}"
    source = MetricSource(name="shop", kind=SourceKind.HTTP, address=address, lag=lag)
    return source, Query(source="shop", bad="{cohort}.bad", total="{cohort}.all")


@pytest.mark.enable_socket
@pytest.mark.network
class TestOverHttp:
    def test_an_address_with_times_is_asked_about_the_last_day(self, site, tmp_path):
        asked = []

        def counts(since, until):
            asked.append((since, until))
            return {"on": {"bad": 1, "all": 10}, "off": {"bad": 40, "all": 4_000}}

        site.counts = counts
        source, query = shop(site, lag=timedelta(minutes=1))
        found = lately(tmp_path, source, query)
        assert found == Traffic(seen=Arm(total=4_010, failed=41), over=DAY)
        until = (START - timedelta(minutes=1)).timestamp()
        assert asked == [(until - DAY.total_seconds(), until)]

    def test_what_it_lacks_is_said(self, site, tmp_path):
        site.counts = lambda *_: {"off": {"bad": 0, "all": 7}}
        found = lately(tmp_path, *shop(site))
        assert (found.error, found.seen) == ("the source shop says nothing under on.all", Arm())

    @pytest.fixture
    def sentry(self, tmp_path):
        (tmp_path / "token").write_text(TOKEN)
        server = Sentry()
        yield server
        server.close()

    def on_sentry(self, sentry, site, tmp_path, exposure="requests"):
        web = MetricSource(
            name="web",
            kind=SourceKind.SENTRY,
            address=sentry.url,
            organization="acme",
            project="42",
            token_file="token",
            lag=timedelta(minutes=1),
        )
        source, query = shop(site)
        requests = replace(GUARD, name="requests", logs=(), query=query)
        reported = replace(requests, name="reported", query=Query(source="flagstaff"))
        people = replace(
            requests,
            name="people",
            query=Query(source="web", label="rollout.checkout", exposure=exposure),
        )
        project = Project(sources={"web": web, "shop": source})
        return Lately(tmp_path, project, (requests, reported, people), START).traffic(people)

    def test_people_in_sentry_are_told_against_the_totals_of_the_other_guard(
        self, sentry, site, tmp_path
    ):
        site.counts = lambda *_: {"on": {"bad": 0, "all": 0}, "off": {"bad": 90, "all": 24_000}}
        sides = (("off", 2, 5), ("off", 3, 5), ("on", 4, 6), ("off", 30, 7))
        for side, hours, user in sides:
            sentry.add(START - HOUR * hours, f"User:{user}", **{"rollout.checkout": side})
        # One person with the flag off, however often, one with it on, and none of the day before.
        found = self.on_sentry(sentry, site, tmp_path)
        assert found == Traffic(seen=Arm(total=24_000, failed=2), over=DAY)

    def test_where_the_totals_are_not_known_nothing_is(self, sentry, site, tmp_path):
        site.counts = lambda *_: {each: {"bad": 0, "all": 0} for each in ("on", "off")}
        found = self.on_sentry(sentry, site, tmp_path)
        assert found.error == "requests, of which it takes the totals: nothing was counted"
        found = self.on_sentry(sentry, site, tmp_path, exposure="reported")
        assert found.error.startswith("reported, of which it takes the totals: what applications")
        assert sentry.asked == []

    def test_a_sentry_that_refuses_is_said(self, sentry, site, tmp_path):
        site.counts = lambda *_: {each: {"bad": 0, "all": 5} for each in ("on", "off")}
        sentry.refusals = [429]
        assert self.on_sentry(sentry, site, tmp_path).error == "Sentry (web) is asked too often"


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
