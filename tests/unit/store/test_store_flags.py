"""Are gates kept exactly, and does every change give its environment a new version?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from fakes import START
from flagstaff.errors import UsageError
from flagstaff.flags.gates import Gates
from flagstaff.store import flags
from flagstaff.store.database import Database
from flagstaff.store.flags import FlagState

RICH = Gates(
    expression={"Equal": [{"Property": ["plan"]}, "größe"]},
    actors=frozenset({"Project:7", "User:ü", "User:1:opt_out"}),
    percentage_of_actors=Decimal("0.125"),
    percentage_of_time=Decimal("99.999"),
    groups=frozenset({"staff"}),
)


def state(environment="production", flag="new_navigation", gates=RICH, at=START, by="ada"):
    return FlagState(environment=environment, flag=flag, gates=gates, updated_at=at, updated_by=by)


@pytest.mark.parametrize("gates", [Gates(), Gates(boolean=True), RICH])
def test_gates_come_back_as_they_were(database, gates):
    with database.write() as connection:
        flags.put(connection, state(gates=gates))
    with database.read() as connection:
        assert flags.get(connection, "production", "new_navigation") == state(gates=gates)


def test_a_flag_that_was_never_set_is_not_there(database):
    with database.read() as connection:
        assert flags.get(connection, "production", "new_navigation") is None
        assert flags.version(connection, "production") == 0


def test_a_later_state_takes_the_place_of_the_earlier(database):
    later = state(gates=Gates(boolean=True), at=START + timedelta(hours=1), by="bob")
    with database.write() as connection:
        flags.put(connection, state())
        flags.put(connection, later)
        assert flags.find(connection) == [later]


def test_times_come_back_in_utc_whatever_zone_they_were_in(database):
    there = datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5.5)))
    with database.write() as connection:
        flags.put(connection, state(at=there))
    with database.read() as connection:
        found = flags.get(connection, "production", "new_navigation").updated_at
    assert found == there
    assert found.tzinfo is UTC or found.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(database):
    naive = datetime(2026, 7, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(Exception, match="has no time zone"), database.write() as connection:
        flags.put(connection, state(at=naive))


def test_flags_are_found_by_environment_and_by_name_in_order(database):
    with database.write() as connection:
        for environment, flag in [("b", "y"), ("a", "y"), ("a", "x")]:
            flags.put(connection, state(environment=environment, flag=flag))

        def found(**criteria):
            return [(each.flag, each.environment) for each in flags.find(connection, **criteria)]

        assert found() == [("x", "a"), ("y", "a"), ("y", "b")]
        assert found(environment="a") == [("x", "a"), ("y", "a")]
        assert found(flag="y") == [("y", "a"), ("y", "b")]


def test_every_change_gives_its_environment_alone_a_new_version(database):
    with database.write() as connection:
        flags.put(connection, state())
        flags.put(connection, state())
        assert flags.version(connection, "production") == 2
        assert flags.remove(connection, "production", "new_navigation")
        assert flags.version(connection, "production") == 3
        assert flags.version(connection, "staging") == 0


def test_removing_what_is_not_there_is_no_change(database):
    with database.write() as connection:
        assert not flags.remove(connection, "production", "new_navigation")
        assert flags.version(connection, "production") == 0


def test_locking_is_no_change(database):
    with database.write() as connection:
        flags.put(connection, state())
        flags.lock(connection, ["staging", "production", "production"])
    with database.read() as connection:
        assert flags.version(connection, "production") == 1
        assert flags.version(connection, "staging") == 0


def test_what_postgresql_cannot_keep_is_said_and_changes_nothing(postgres_url):
    database = Database(postgres_url)

    def write():
        with database.write() as connection:
            flags.put(connection, state(flag="first"))
            flags.put(connection, state(by="a\0b"))

    with pytest.raises(UsageError, match="cannot keep"):
        write()
    with database.read() as connection:
        assert flags.find(connection) == []
    database.close()
