"""Does a change reach the other servers with its commit, whole, and not otherwise?"""

from __future__ import annotations

import queue

import pytest
from sqlalchemy import text

from flagstaff.store import notifications
from flagstaff.store.database import Database
from flagstaff.store.notifications import (
    ANYTHING,
    MOST_BYTES,
    Listening,
    Notice,
    notice_of,
    payloads,
)

PATIENCE = 30


@pytest.fixture
def listening(postgres_url):
    """Return what a listener on a database of its own hears, and that database."""
    database = Database(postgres_url)
    heard = queue.Queue()
    listener = Listening(database, heard.put)
    listener.start()
    assert heard.get(timeout=PATIENCE) == ANYTHING
    yield database, heard
    listener.close()
    database.close()


def send(database, *names, sender="a.1"):
    with database.write() as connection:
        notifications.send(connection, sender, names)


class TestPayloads:
    def test_few_names_are_one(self):
        (payload,) = payloads("a.1", {"flags:dev", "rollout:42"})
        assert notice_of(payload) == Notice(
            sender="a.1", names=frozenset({"flags:dev", "rollout:42"})
        )

    def test_many_names_are_several_that_each_fit(self):
        names = {f"flags:{number:0>40}é" for number in range(1000)}
        found = payloads("a.1", names)
        assert len(found) > 1
        assert all(len(each.encode()) <= MOST_BYTES for each in found)
        assert frozenset().union(*(notice_of(each).names for each in found)) == names

    @pytest.mark.parametrize(
        "names", [{f"rollout:{number}" for number in range(100_000)}, {"flags:" + "x" * 8000}]
    )
    def test_too_many_or_too_long_ones_mean_anything(self, names):
        (payload,) = payloads("a.1", names)
        assert notice_of(payload) == Notice(sender="a.1", names=None)

    @pytest.mark.parametrize("payload", ["", "hello", "[1]", "{}", "null", '["a", 3]', "3"])
    def test_what_is_not_ours_means_anything(self, payload):
        assert notice_of(payload).names is None


def test_what_is_committed_is_heard(listening):
    database, heard = listening
    send(database, "flags:dev", "rollout:1")
    assert heard.get(timeout=PATIENCE).names == {"flags:dev", "rollout:1"}


def test_what_is_taken_back_is_not(listening):
    database, heard = listening
    with database.write(keep=False) as connection:
        notifications.send(connection, "a.1", ["flags:dev"])
    send(database, "flags:staging")
    assert heard.get(timeout=PATIENCE).names == {"flags:staging"}


def test_the_largest_that_fits_is_sent(listening):
    database, heard = listening
    fixed = len(payloads("a.1", [""])[0])
    name = "x" * (MOST_BYTES - fixed)
    send(database, name)
    assert heard.get(timeout=PATIENCE).names == {name}


def test_after_a_break_anything_may_have_changed(listening):
    database, heard = listening
    with database.write() as connection:
        ended = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).all()
        assert ended
    assert heard.get(timeout=PATIENCE) == ANYTHING
    send(database, "flags:dev")
    assert heard.get(timeout=PATIENCE).names == {"flags:dev"}


def test_a_file_needs_none(sqlite_url):
    database = Database(sqlite_url)
    send(database, "flags:dev")
    database.close()
