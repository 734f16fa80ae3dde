"""Is everyone counted once on either database, whatever arrives twice, late or in another order?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from fakes import START, plan_of, ramp
from flagstaff.store import actors
from flagstaff.store.actors import Report
from flagstaff.store.tables import failed_actor, rollout, seen_actor

FIRST, SECOND = 100, 200
"""Draws."""


@pytest.fixture
def number(added, database):
    number = added(plan_of(ramp(10)))
    with database.write() as connection:
        actors.begin(connection, number, "aa")
    return number


@pytest.fixture
def take(database, number):
    def taken(draw, *, on="", off="", failed="", kind="5xx"):
        seen = dict.fromkeys(off.split(), False) | dict.fromkeys(on.split(), True)
        report = Report(
            rollout=number,
            flag="new_navigation",
            draw=draw,
            seen=seen,
            failed={kind: failed.split()},
        )
        with database.write() as connection:
            actors.take(connection, report)

    return taken


@pytest.fixture
def levels(database, number):
    def read(draw, kind="5xx"):
        with database.read() as connection:
            found = actors.levels(connection, number, kind, draw)
        return tuple((found[on].people, found[on].failed) for on in (True, False))

    return read


def test_a_set_that_arrives_twice_is_counted_once(take, levels):
    for _ in range(3):
        take(FIRST, on="a b", off="c d e", failed="a c")
    assert levels(FIRST) == ((2, 1), (3, 1))
    assert levels(FIRST, "302") == ((2, 0), (3, 0))


def test_a_failure_counts_only_with_who_was_asked_about(take, levels):
    take(FIRST, on="a", failed="a f")
    assert levels(FIRST) == ((1, 1), (0, 0))


def test_under_a_new_draw_all_are_enrolled_anew_but_those_who_failed(take, levels):
    take(FIRST, on="a b", off="c d e", failed="a c")
    assert levels(SECOND) == ((0, 0), (0, 0))
    take(SECOND, on="a b c d", off="e", failed="a d")
    assert levels(SECOND) == ((2, 1), (1, 0))


def test_what_comes_late_from_an_older_draw_counts_nowhere(take, levels):
    take(FIRST, off="a b")
    take(SECOND, on="a", off="b")
    take(FIRST, off="a b", failed="a b")
    assert levels(SECOND) == ((1, 0), (1, 0))
    take(SECOND, on="a", failed="a")
    assert levels(SECOND) == ((1, 1), (1, 0))


def test_a_failure_before_the_next_draw_is_known_keeps_its_actor_out(take, levels):
    take(FIRST, off="a b", failed="a")
    take(SECOND, on="a b")
    assert levels(SECOND) == ((1, 0), (0, 0))


def test_of_those_who_come_when_there_are_many_fewer_are_kept(take, levels, monkeypatch):
    monkeypatch.setattr(actors, "MOST", 4)
    take(FIRST, on="0 1", off="2 3")
    take(FIRST, on="5 6", off="7 9", failed="5 6")  # of these the even ones
    assert levels(FIRST) == ((3, 1), (2, 0))
    take(FIRST, on="5 6", failed="5 6")
    assert levels(FIRST) == ((3, 1), (2, 0))
    take(SECOND, on="5 7 9")  # under a new draw there is room again
    assert levels(SECOND) == ((3, 0), (0, 0))


def test_more_than_one_query_holds(take, levels):
    take(FIRST, on=" ".join(f"{number:016x}" for number in range(1_300)), failed=f"{1_250:016x}")
    assert levels(FIRST) == ((1_300, 1), (0, 0))


def test_signs_of_life_are_kept_by_kind(database, number):
    with database.write() as connection:
        actors.hear(connection, number, ["5xx", "302"], START)
        actors.hear_bare(connection, number, ["302"], START)
        actors.hear(connection, number, ["5xx"], START)
    with database.read() as connection:
        assert actors.heard(connection, number, "5xx") == (START, None)
        assert actors.heard(connection, number, "302") == (START, START)
        assert actors.heard(connection, number, "outcomes") == (None, None)


def test_made_up_kinds_do_not_fill_the_table(database, number):
    with database.write() as connection:
        actors.hear(connection, number, [f"kind {each}" for each in range(80)], START)
        actors.hear_bare(connection, number, ["one more", "kind 0"], START)
        assert len(actors.kinds(connection, number)) == actors.MOST_KINDS
        assert actors.heard(connection, number, "kind 0") == (START, START)


def test_nobody_is_left_of_a_rollout_that_is_over(database, number, take):
    with database.write() as connection:
        actors.begin(connection, number, "bb")
    take(FIRST, on="a", failed="a")
    with database.write() as connection:
        assert actors.salt(connection, number) == "aa"
        actors.sweep(connection)
        assert actors.salts(connection) == {"new_navigation": (number, "aa")}
        connection.execute(rollout.update().values(phase="completed"))
        assert actors.salts(connection) == {}
        actors.sweep(connection)
        assert actors.salt(connection, number) == ""
        for table in (seen_actor, failed_actor):
            assert connection.execute(table.select()).all() == []


def test_reports_that_arrive_at_once_are_all_taken_in(database, number, levels):
    everybody = [f"{each:016x}" for each in range(300)]

    def report(first):
        seen = {each: int(each, 16) % 2 == 0 for each in everybody[first : first + 150]}
        failed = {"5xx": [each for each in seen if int(each, 16) % 10 == 0]}
        for draw in (FIRST, SECOND, SECOND):
            said = Report(
                rollout=number, flag="new_navigation", draw=draw, seen=seen, failed=failed
            )
            with database.write() as connection:
                actors.take(connection, said)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(report, (0, 50, 100, 150)))
    people, failed = zip(*levels(SECOND), strict=True)
    with database.read() as connection:
        kept = connection.execute(failed_actor.select()).all()
    assert len(kept) == len(everybody) // 10
    before = sum(row.draw == FIRST for row in kept)
    assert sum(people) == len(everybody) - before
    assert sum(failed) == len(kept) - before
