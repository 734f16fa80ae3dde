"""Does one server at a time hold the engine's lock, and does it know when it has lost it?"""

from __future__ import annotations

import pytest
from sqlalchemy import text

from flagstaff.errors import Unavailable
from flagstaff.store import engine_lock
from flagstaff.store.database import Database


@pytest.fixture
def databases(postgres_url):
    found = [Database(postgres_url), Database(postgres_url)]
    yield found
    for each in found:
        each.close()


HOLDER = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = :lock"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def end_holder(database):
    with database.write() as connection:
        ended = connection.execute(text(HOLDER), {"lock": engine_lock.RUNNING})
        assert ended.all() == [(True,)]


def test_one_at_a_time(databases):
    one, two = databases
    first = engine_lock.take(one)
    assert first.holds()
    assert first.is_sure()
    assert engine_lock.take(two) is None
    first.release()
    second = engine_lock.take(two)
    assert second.holds()
    second.release()


def test_a_lost_one_is_noticed_and_free(databases):
    one, two = databases
    first = engine_lock.take(one)
    end_holder(two)
    assert not first.holds()
    second = engine_lock.take(two)
    assert second is not None
    first.release()
    assert second.holds()
    second.release()


def test_a_holder_that_has_slept_is_not_sure_and_gives_up(databases, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(engine_lock, "monotonic", lambda: now[0])
    claim = engine_lock.take(databases[0])
    now[0] += engine_lock.SURE - 0.1
    assert claim.is_sure()
    now[0] += 0.2
    assert not claim.is_sure()
    assert not claim.holds()
    claim.release()


def test_the_holder_gives_up_before_the_database_forgets_it():
    beat = 1.0
    assert beat + engine_lock.PATIENCE < engine_lock.SURE < engine_lock.FORGOTTEN


def test_the_database_forgets_a_silent_holder(databases, monkeypatch):
    one, two = databases
    monkeypatch.setattr(engine_lock, "FORGOTTEN", 0.2)
    silent = engine_lock.take(one)
    second = None
    while second is None:
        second = engine_lock.take(two)
    assert not silent.holds()
    silent.release()
    second.release()


def test_nobody_there_is_said(tmp_path):
    database = Database(f"postgresql://postgres:@/db?host={tmp_path}")
    with pytest.raises(Unavailable, match="does not answer"):
        engine_lock.take(database)
    database.close()


def test_a_file_has_one_server_only(sqlite_url):
    database = Database(sqlite_url)
    claim = engine_lock.take(database)
    assert claim.holds()
    assert claim.is_sure()
    claim.release()
    database.close()
