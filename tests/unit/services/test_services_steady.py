"""Do waits last as long as they should when somebody sets the clock?"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from fakes import START
from flagstaff.errors import Unavailable
from flagstaff.services.kept_clock import kept_clock
from flagstaff.services.steady import LED, DatabaseTime, SteadyTime
from flagstaff.store import audit
from flagstaff.store.audit import AuditEntry
from flagstaff.store.database import Database

HOUR = timedelta(hours=1)


class Machine:
    """A clock that can be set, and a counter that cannot."""

    def __init__(self):
        self.clock, self.counter = START, 0.0

    def time(self, at_least=None):
        return SteadyTime(lambda: self.clock, at_least, counter=lambda: self.counter)

    def wait(self, length):
        self.clock += length
        self.counter += length.total_seconds()


@pytest.fixture
def machine():
    return Machine()


def test_time_is_what_the_clock_shows(machine):
    time = machine.time()
    machine.wait(HOUR)
    assert time() == machine.clock == START + HOUR


@pytest.mark.parametrize("jump", [timedelta(days=2), timedelta(days=-2), HOUR, -HOUR])
def test_a_clock_that_is_set_makes_an_hour_neither_much_shorter_nor_much_longer(machine, jump):
    time = machine.time()
    before = time()
    machine.clock += jump
    assert time() == before
    machine.wait(HOUR)
    assert abs(time() - before - HOUR) <= HOUR * LED
    for _ in range(2000):
        machine.wait(HOUR)
        latest = time()
        assert latest > before
        before = latest
    assert latest == machine.clock


def test_a_process_begins_no_earlier_than_what_is_recorded(machine, caplog):
    time = machine.time(START + HOUR)
    assert time() == START + HOUR
    machine.wait(HOUR)
    assert START + HOUR < time() < START + 2 * HOUR
    assert "somewhat slower" in caplog.text


def test_a_kept_clock_goes_on_from_the_last_entry(database):
    ahead = datetime.now(UTC) + HOUR
    entry = AuditEntry(at=ahead, who="ada", source="terminal", action="flag.set")
    with database.write() as connection:
        audit.append(connection, [entry])
    assert ahead <= kept_clock(database).now() < ahead + HOUR / 2


def test_replicas_share_the_clock_of_their_database(postgres_url, monkeypatch):
    with closing(Database(postgres_url)) as database:
        shown = DatabaseTime(database)
        assert abs(shown() - datetime.now(UTC)) < HOUR
        monkeypatch.setattr("flagstaff.services.steady.ASKED_EVERY", 0.0)
        first = shown()

        def gone():
            raise Unavailable("the database does not answer")

        monkeypatch.setattr(shown, "_ask", gone)
        assert shown() >= first
