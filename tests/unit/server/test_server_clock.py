"""Fast time goes on where it was, also at another speed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flagstaff.errors import Conflict, UsageError
from flagstaff.services.clock import FastClock, SystemClock
from flagstaff.services.kept_clock import kept_clock
from flagstaff.services.opening import database_file, open_database


@pytest.fixture
def database(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


def test_a_new_database_lives_in_real_time(database):
    assert isinstance(kept_clock(database), SystemClock)
    assert isinstance(kept_clock(database, 1.0), SystemClock)


def test_the_fast_clock_goes_on_after_a_restart(database):
    first = kept_clock(database, 600.0)
    assert isinstance(first, FastClock)
    assert abs(first.now() - datetime.now(UTC)) < timedelta(minutes=5)
    assert kept_clock(database) == first
    assert kept_clock(database, 600.0) == first


def test_another_speed_begins_where_the_clock_is(database):
    first = kept_clock(database, 36_000.0)
    before = first.now()
    second = kept_clock(database, 60.0)
    after = first.now()
    assert before - timedelta(seconds=1) <= second.now() <= after + timedelta(minutes=1)


def test_time_does_not_run_back(database):
    kept_clock(database, 600.0)
    with pytest.raises(Conflict, match="ahead of real time"):
        kept_clock(database, 1.0)


@pytest.mark.parametrize("speed", [0.0, -3.0, 0.5, float("inf"), float("nan")])
def test_impossible_speeds_are_refused(database, speed):
    with pytest.raises(UsageError, match="speed"):
        kept_clock(database, speed)


def test_only_sqlite_has_a_file():
    assert str(database_file("sqlite:////tmp/x.db")) == "/tmp/x.db"  # noqa: S108
    assert database_file("postgresql://me@host/name") is None
    with pytest.raises(UsageError, match="not the address"):
        database_file("nonsense")
