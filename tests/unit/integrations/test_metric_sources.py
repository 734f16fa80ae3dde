"""Are JSON addresses and databases read exactly, and is every trouble no data?"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import create_engine, text

from fakes import GUARD, START
from flagstaff.definitions import Project
from flagstaff.definitions.sources import MetricSource, SourceKind
from flagstaff.integrations.metrics.sources import Sources
from flagstaff.rollouts.guard import Arm, Kept
from flagstaff.rollouts.query import Query

SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self):
        self.now = START + 60 * SECOND

    def __call__(self):
        return self.now


class Asking:
    """Asks one source as the engine does, and commits what it reads."""

    def __init__(self, root, source, query):
        self.clock = Clock()
        self.guard = replace(GUARD, query=query)
        self.sources = Sources(root, Project(sources={source.name: source}), now=self.clock)
        self.kept = Kept(since=START, changes=(START,))

    def look(self, *, after=15):
        self.clock.now += after * SECOND
        return self.sources.measure(self.guard, self.guard.query, self.kept)

    def read(self, *, after=15):
        found = self.look(after=after)
        assert not found.error
        self.kept = replace(
            self.kept, treatment=found.treatment, control=found.control, place=found.place
        )
        return found


@pytest.fixture
def site():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server = self.server
            server.asked.append((self.path, dict(self.headers)))
            time.sleep(server.delay)
            body = (
                server.body if isinstance(server.body, bytes) else json.dumps(server.body).encode()
            )
            self.send_response(server.status)
            self.send_header("Location", "http://127.0.0.1:1/private")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.status, server.delay = [], 200, 0
        server.body = counts(0, 0, 0, 0)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def counts(on_bad, on_all, off_bad, off_all):
    return {"flag": {"on": [on_bad, on_all], "off": [off_bad, off_all]}}


@pytest.mark.enable_socket
@pytest.mark.network
class TestHttpJson:
    def ask(self, site, root, path="/counts", **how):
        address = f"http://127.0.0.1:{site.server_address[1]}{path}"
        source = MetricSource(
            name="shop", kind=SourceKind.HTTP, address=address, lag=timedelta(0), **how
        )
        query = Query(source="shop", bad="flag.{cohort}.0", total="flag.{cohort}.1")
        return Asking(root, source, query)

    def test_counters_count_from_the_first_reading_on_and_over_a_restart(self, site, tmp_path):
        asking = self.ask(site, tmp_path)
        site.body = counts(5, 100, 7, 200)
        assert asking.read().treatment == Arm()
        site.body = counts(6, 110, 7, 230)
        assert asking.read().treatment == Arm(total=10, failed=1)
        assert asking.look().treatment == Arm(total=10, failed=1)
        site.body = counts(0, 3, 1, 9)
        found = asking.read()
        assert found.treatment == Arm(total=13, failed=1)
        assert found.control == Arm(total=39, failed=1)

    def test_an_address_with_times_counts_from_the_start_and_ends_at_a_change(self, site, tmp_path):
        asking = self.ask(site, tmp_path, "/counts?from={since}&to={until}")
        asking.kept = replace(asking.kept, changes=(START, START + 30 * SECOND))
        site.body = counts(1, 10, 2, 20)
        found = asking.read()
        assert (found.treatment, found.behind) == (Arm(total=10, failed=1), 1)
        begin, change = START.timestamp(), (START + 30 * SECOND).timestamp()
        assert site.asked[-1][0] == f"/counts?from={begin:.3f}&to={change:.3f}"
        assert asking.read().behind == 0

    def test_a_bound_is_part_of_the_path(self, site, tmp_path):
        asking = self.ask(site, tmp_path)
        query = Query(
            source="shop",
            bad="flag.{cohort}.over.{ms}",
            total="flag.{cohort}.all",
            slower_than=0.25,
        )
        asking.guard = replace(asking.guard, query=query, slower_than=0.25)
        site.body = {"flag": {each: {"all": 90, "over": {"250": 4}} for each in ("on", "off")}}
        asking.read()
        site.body = {"flag": {each: {"all": 99, "over": {"250": 6}} for each in ("on", "off")}}
        assert asking.read().treatment == Arm(total=9, failed=2)

    def test_looks_in_quick_succession_ask_once(self, site, tmp_path):
        asking = self.ask(site, tmp_path)
        for _ in range(5):
            asking.look(after=0.3)
        assert len(site.asked) == 1

    def test_a_token_is_sent_and_never_shown(self, site, tmp_path):
        (tmp_path / "token").write_text("s3cret\n")
        asking = self.ask(site, tmp_path, token_file="token")
        site.status = 401
        assert asking.look().error == "the source shop answers 401"
        assert site.asked[-1][1]["authorization"] == "Bearer s3cret"
        (tmp_path / "token").unlink()
        assert asking.look(after=60).error == ("the secret in token cannot be read (put it there)")

    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            (302, counts(0, 0, 0, 0), "sends us elsewhere (write the last address"),
            (500, {}, "answers 500"),
            (200, b"<html>", "not with JSON"),
            (200, b"[" * 100_000, "not with JSON"),
            (200, b" " * 9_000_000, "more than 8 MiB"),
            (200, {"flag": {"on": [0, 1]}}, "says nothing under flag.off.1"),
            (200, counts(0, "12", 0, 0), "'12' under flag.on.1, which is no whole number"),
            (200, counts(0, 1.5, 0, 0), "'1.5' under flag.on.1, which is no whole number"),
            (200, b'{"flag": {"on": [0, NaN], "off": [0, 0]}}', "'nan' under flag.on.1"),
            (200, counts(0, True, 0, 0), "'True' under flag.on.1"),
            (200, counts(0, -4, 0, 0), "a counter is -4"),
        ],
    )
    def test_trouble_is_no_data_and_says_which(self, site, tmp_path, status, body, words):
        site.status, site.body = status, body
        assert words in self.ask(site, tmp_path).look().error

    def test_one_that_is_not_there_says_why_and_never_where(self, site, tmp_path):
        asking = self.ask(site, tmp_path, "/s3cret")
        site.shutdown()
        site.server_close()
        assert asking.look().error == "the source shop does not answer: connection refused"

    def test_one_that_hangs_is_no_data(self, site, tmp_path):
        site.delay = 1
        asking = self.ask(site, tmp_path, timeout=timedelta(milliseconds=200))
        assert asking.look().error == "the source shop does not answer: it took longer than 0.2 s"

    def test_after_an_error_it_is_asked_less_and_less_often(self, site, tmp_path):
        site.status = 500
        asking = self.ask(site, tmp_path)
        for _ in range(60):
            asking.look(after=1)
        assert 3 <= len(site.asked) <= 5


CREATE = "CREATE TABLE orders (variant TEXT, failed INTEGER, at TIMESTAMP)"
STATEMENT = """
SELECT variant AS cohort, sum(failed) AS bad, count(*) AS total FROM orders
WHERE at >= :since AND at < :until GROUP BY variant
"""


class TestSql:
    @pytest.fixture(params=["sqlite", "postgresql"])
    def url(self, request, tmp_path):
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / 'orders.db'}"
        url = request.getfixturevalue("postgres_url")
        return url.replace("postgresql://", "postgresql+psycopg://")

    @pytest.fixture
    def orders(self, url):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text(CREATE.replace("TIMESTAMP", _type(url))))

        def order(variant, failed, *, at):
            moment = START + at * SECOND
            value = moment if "postgresql" in url else f"{moment:%Y-%m-%d %H:%M:%S}"
            with engine.begin() as connection:
                connection.execute(
                    text("INSERT INTO orders VALUES (:variant, :failed, :at)"),
                    {"variant": variant, "failed": failed, "at": value},
                )

        yield order
        engine.dispose()

    def ask(self, url, root, statement=STATEMENT, **how):
        source = MetricSource(
            name="orders", kind=SourceKind.SQL, address=url, lag=5 * SECOND, **how
        )
        return Asking(root, source, Query(source="orders", statement=statement))

    def test_rows_count_once_from_the_watch_on_also_those_written_late(self, url, orders, tmp_path):
        asking = self.ask(url, tmp_path)
        orders("on", 1, at=-5)
        orders("on", 1, at=3)
        orders("off", 0, at=4)
        orders("other", 0, at=4)
        found = asking.read()
        assert (found.treatment, found.control) == (Arm(total=1, failed=1), Arm(total=1))
        orders("on", 0, at=5)
        found = asking.read()
        assert found.treatment == Arm(total=2, failed=1)
        assert found.place.at == asking.clock.now - 5 * SECOND

    def test_the_bound_above_which_something_is_slow_is_given_to_the_statement(
        self, url, orders, tmp_path
    ):
        asking = self.ask(
            url,
            tmp_path,
            STATEMENT.replace(
                "sum(failed)", "sum(CASE WHEN failed > :slower_than THEN 1 ELSE 0 END)"
            ),
        )
        query = replace(asking.guard.query, slower_than=0.5)
        asking.guard = replace(asking.guard, query=query, slower_than=0.5)
        for failed in (0, 1, 1):
            orders("on", failed, at=3)
        assert asking.read().treatment == Arm(total=3, failed=2)

    @pytest.mark.parametrize(
        ("statement", "words"),
        [
            ("DELETE FROM orders WHERE :since < :until", "read"),
            ("SELECT 'on' AS cohort, 1 AS bad WHERE :since < :until", "without the column total"),
            ("SELECT 'on' AS cohort, 1 AS bad, 2 AS total UNION ALL SELECT 'on', 3, 4", "one row"),
            ("SELECT 'on' AS cohort, -1 AS bad, 2 AS total", "'-1' for on, which is no whole"),
            ("SELECT 'on' AS cohort, 'x' AS bad, 2 AS total", "'x' for on, which is no whole"),
            ("SELECT nonsense", "does not answer the query"),
        ],
    )
    def test_trouble_is_no_data_and_says_which(self, url, orders, tmp_path, statement, words):
        orders("on", 0, at=1)
        assert words in self.ask(url, tmp_path, statement).look().error
        assert self.ask(url, tmp_path).look().treatment.total == 1

    def test_a_query_that_takes_too_long_is_ended(self, url, tmp_path):
        endless = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
            "SELECT 'on' AS cohort, 0 AS bad, count(*) AS total FROM n"
        )
        begun = time.monotonic()
        asking = self.ask(url, tmp_path, endless, timeout=timedelta(milliseconds=300))
        assert "does not answer the query" in asking.look().error
        assert time.monotonic() - begun < 30

    def test_databases_that_cannot_be_kept_from_writing_are_refused(self, tmp_path):
        error = self.ask("mysql+pymysql://host/db", tmp_path).look().error
        assert error == (
            "databases of the kind 'mysql' cannot be asked safely (use PostgreSQL or SQLite)"
        )
        error = self.ask("sqlite+nonsense://", tmp_path).look().error
        assert error.startswith("the database orders has no usable address")


def _type(url):
    return "TIMESTAMPTZ" if "postgresql" in url else "TEXT"


def test_a_source_that_is_gone_is_no_data(tmp_path):
    source = MetricSource(name="a", kind=SourceKind.HTTP, address="http://127.0.0.1:1")
    asking = Asking(tmp_path, source, Query(source="gone"))
    assert "there is no source gone in flagstaff.yml any more" in asking.look().error
