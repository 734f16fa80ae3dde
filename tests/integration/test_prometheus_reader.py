"""Does a guard read from a real Prometheus what happened, and nothing twice?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flagstaff.definitions import Project
from flagstaff.definitions.sources import MetricSource, SourceKind
from flagstaff.errors import Unavailable
from flagstaff.integrations.metrics.prometheus import Prometheus
from flagstaff.integrations.metrics.traffic import PIECE, Lately
from flagstaff.rollouts.guard import Arm, Guard, Kept
from flagstaff.rollouts.query import Query
from prometheus import PrometheusServer, Target, needed

pytestmark = [needed, pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.network]

BAD, TOTAL = 'shop_requests_total{code="500"}', "shop_requests_total"


@pytest.fixture
def targets():
    found = [Target().start(), Target().start()]
    yield found
    for each in found:
        each.stop()


@pytest.fixture
def server(tmp_path, targets):
    server = PrometheusServer(tmp_path, targets).start()
    yield server
    server.stop()


def reader(server, bad=BAD, total=TOTAL, label="variant", slower_than=0.0, **how):
    source = MetricSource(
        name="main", kind=SourceKind.PROMETHEUS, address=server.url, lag=timedelta(0), **how
    )
    query = Query(source="main", bad=bad, total=total, label=label, slower_than=slower_than)
    return Prometheus(source, "5xx", query)


def after(kept, measured):
    """Return what is kept once a reading is committed."""
    return Kept(
        since=kept.since,
        changes=kept.changes,
        treatment=measured.treatment,
        control=measured.control,
        place=measured.place,
    )


def now():
    return datetime.now(UTC)


def test_counts_go_on_over_restarts_and_nothing_counts_twice(server, targets):
    first, second = targets
    first.count("off", "200", 100)
    first.count("off", "500", 3)
    server.until(lambda: server.value(TOTAL) == 103)
    kept, read = Kept(since=server.moment()), reader(server)
    # The variant is born after the watch began, on both instances, with its first failures.
    first.count("off", "200", 10)
    first.count("on", "200", 20)
    first.count("on", "500", 2)
    second.count("on", "200", 5)
    server.until(lambda: server.value(TOTAL) == 140)
    measured = read.measure(kept, now(), "")
    assert measured.treatment == Arm(total=27, failed=2)
    assert measured.control == Arm(total=10, failed=0)

    # What was not committed is read again, what was committed is not.
    assert read.measure(kept, now(), "").treatment == measured.treatment
    kept = after(kept, measured)
    assert read.measure(kept, now(), "").treatment == measured.treatment

    # One of two instances begins at zero again; the sum over both would hide it.
    second.count("on", "200", 1_000)
    server.until(lambda: server.value(TOTAL) == 1_140)
    kept = after(kept, read.measure(kept, now(), ""))
    assert kept.treatment == Arm(total=1_027, failed=2)
    second.restart()
    second.count("on", "200", 7)
    second.count("on", "500", 4)
    server.until(lambda: server.value('shop_requests_total{variant="on"}') == 22 + 11)
    kept = after(kept, read.measure(kept, now(), ""))
    assert kept.treatment == Arm(total=1_038, failed=6)
    assert kept.control == Arm(total=10, failed=0)


def test_a_reading_ends_where_the_flag_changed(server, targets):
    first = targets[0]
    first.count("off", "200", 1)
    first.count("on", "200", 1)
    server.until(lambda: server.value(TOTAL) == 2)
    began = server.moment()
    first.count("on", "200", 10)
    server.until(lambda: server.value(TOTAL) == 12)
    changed = server.moment()
    first.count("on", "200", 100)
    server.until(lambda: server.value(TOTAL) == 112)
    kept = Kept(since=began, changes=(began, changed))
    before = reader(server).measure(kept, now(), "")
    assert (before.treatment.total, before.behind) == (10, 1)
    rest = reader(server).measure(after(kept, before), now(), "")
    assert (rest.treatment.total, rest.behind) == (110, 0)


def test_a_gap_is_left_out_and_counting_goes_on(server, targets):
    first = targets[0]
    first.count("on", "200", 5)
    server.until(lambda: server.value(TOTAL) == 5)
    kept, read = Kept(since=server.moment()), reader(server, max_gap=timedelta(0))
    first.count("on", "200", 50)
    server.until(lambda: server.value(TOTAL) == 55)
    measured = read.measure(kept, now(), "")
    assert measured.treatment.total == 0
    first.count("on", "200", 500)
    server.until(lambda: server.value(TOTAL) == 555)
    assert reader(server).measure(after(kept, measured), now(), "").treatment.total == 500


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"total": "no_such_total"}, "no_such_total has no series"),
        ({"total": "shop_requests_total[1m]"}, "answers shop_requests_total[1m] with matrix"),
        ({"bad": "sum("}, "refuses sum("),
        ({"label": "colour"}, "no series of shop_requests_total has the label colour"),
        ({"total": "shop_requests_total * NaN"}, "a counter is nan"),
        ({"total": "shop_requests_total / 0"}, "a counter is inf"),
    ],
)
def test_what_is_no_count_is_no_data(server, targets, how, words):
    targets[0].count("on", "200", 5)
    server.until(lambda: server.value(TOTAL) == 5)
    with pytest.raises(Unavailable) as caught:
        reader(server, **how).measure(Kept(since=now()), now(), "")
    assert words in caught.value.message


class Forked(Target):
    """Two processes behind one address: each scrape reads another one."""

    def __init__(self):
        super().__init__()
        self.scrapes = 0

    def text(self):
        self.scrapes += 1
        return super().text().replace(" 100\n", " 70\n" if self.scrapes % 2 else " 100\n")


@pytest.mark.parametrize("slower_than", [0.0, 0.25])
def test_processes_that_answer_in_turn_are_no_data_but_restarts_are(tmp_path, slower_than):
    forked, single = Forked().start(), Target().start()
    forked.count("on", "200", 100)
    forked.took("on", 2, 100)
    single.count("off", "200", 60)
    server = PrometheusServer(tmp_path, [forked, single]).start()
    try:
        how = {"total": "shop_seconds_bucket"} if slower_than else {}
        falls = 'max(resets(shop_requests_total{variant="%s"}[2m])) > 2'
        server.until(lambda: server.value(falls % "on"))
        with pytest.raises(Unavailable, match="falls and rises at one instance") as caught:
            reader(server, slower_than=slower_than, **how).measure(Kept(since=now()), now(), "")
        assert "multiprocess" in caught.value.hint
        forked.stop()
        for restart in range(1, 4):
            single.restart()
            single.count("off", "200", restart)
            known = 'shop_requests_total{variant="off"}'
            server.until(lambda known=known, restart=restart: server.value(known) == restart)
            single.count("off", "200", 60)
            server.until(lambda known=known, restart=restart: server.value(known) == restart + 60)
        alone = reader(server, total='shop_requests_total{variant="off"}')
        assert server.value(falls % "off")
        assert alone.measure(Kept(since=now()), now(), "").control.total == 0
    finally:
        server.stop()
        forked.stop()
        single.stop()


def test_a_target_that_is_gone_for_a_while_loses_nothing(server, targets):
    first, second = targets
    first.count("off", "200", 5)
    second.count("on", "200", 5)
    server.until(lambda: server.value(TOTAL) == 10)
    kept, read = Kept(since=server.moment()), reader(server)
    kept = after(kept, read.measure(kept, now(), ""))
    second.stop()
    server.until(lambda: server.value(TOTAL) == 5)
    kept = after(kept, read.measure(kept, now(), ""))
    assert kept.treatment.total == 0
    second.count("on", "200", 3)
    second.start()
    server.until(lambda: server.value(TOTAL) == 13)
    assert read.measure(kept, now(), "").treatment.total == 3


def test_a_server_that_is_away_is_no_data(server):
    server.stop()
    with pytest.raises(Unavailable, match=r"Prometheus \(main\) does not answer"):
        reader(server).measure(Kept(since=now()), now(), "")


def test_what_there_was_is_known_before_anything_begins(server, targets, tmp_path):
    targets[0].count("off", "200", 90)
    targets[1].count("off", "500", 10)
    server.until(lambda: server.value(TOTAL) == 100)
    server.moment()
    source = MetricSource(
        name="main", kind=SourceKind.PROMETHEUS, address=server.url, lag=timedelta(0)
    )
    query = Query(source="main", bad=BAD, total=TOTAL)
    guard = Guard(name="5xx", logs=(), control=(), treatment=(), query=query)
    project = Project(sources={"main": source})
    found = Lately(tmp_path, project, (guard,), now()).traffic(guard)
    assert (found.seen, found.error) == (Arm(total=100, failed=10), "")
    assert found.over == PIECE
    other = replace(guard, query=replace(query, total="nothing_total"))
    assert "has no series" in Lately(tmp_path, project, (other,), now()).traffic(other).error


def test_calls_that_take_too_long_are_counted_from_a_histogram_over_a_restart(server, targets):
    first, second = targets
    first.took("off", 0.1, 50)
    first.took("off", 0.5, 4)
    server.until(lambda: server.value('shop_seconds_bucket{le="+Inf"}') == 54)
    kept = Kept(since=server.moment())
    quarter = reader(server, total="shop_seconds_bucket", slower_than=0.25)
    whole = reader(server, total='shop_seconds_bucket{job="shop"}', slower_than=1.0)
    first.took("off", 0.1, 10)
    first.took("off", 3.0, 2)
    second.took("on", 0.2, 20)
    second.took("on", 0.7, 5)
    second.took("on", 2.0, 1)
    server.until(lambda: server.value('shop_seconds_bucket{le="+Inf"}') == 92)
    found = quarter.measure(kept, now(), "")
    assert (found.treatment, found.control) == (Arm(total=26, failed=6), Arm(total=12, failed=2))
    over_a_second = whole.measure(kept, now(), "")
    assert over_a_second.treatment == Arm(total=26, failed=1)
    assert over_a_second.control == Arm(total=12, failed=2)

    kept = after(kept, found)
    second.restart()
    second.took("on", 0.7, 3)
    server.until(lambda: server.value('shop_seconds_bucket{le="+Inf"}') == 69)
    found = quarter.measure(kept, now(), "")
    assert (found.treatment, found.control) == (Arm(total=29, failed=9), Arm(total=12, failed=2))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"slower_than": 0.5}, "knows a histogram without a bucket up to 0.5 s"),
        ({"total": "shop_requests_total", "slower_than": 0.25}, "shop_requests_total has no serie"),
        ({"total": "no_bucket", "slower_than": 0.25}, "no_bucket has no series"),
    ],
)
def test_a_histogram_without_the_bound_is_no_data_and_never_none_slow(server, targets, how, words):
    targets[0].took("on", 0.1)
    targets[0].count("on", "200")
    server.until(lambda: server.value('shop_seconds_bucket{le="+Inf"}') == 1)
    with pytest.raises(Unavailable) as caught:
        reader(server, **{"total": "shop_seconds_bucket", **how}).measure(
            Kept(since=now()), now(), ""
        )
    assert words in caught.value.message
