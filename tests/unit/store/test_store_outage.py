"""Does nobody wait for a database that is away, and does everybody see when it is back?"""

from __future__ import annotations

import socket
import threading
import time

import pytest
from sqlalchemy.exc import OperationalError

from flagstaff.errors import Unavailable, Undecided, UsageError
from flagstaff.store import postgresql
from flagstaff.store.database import Database
from flagstaff.store.explained import explained
from flagstaff.store.outage import Outage


def fail(outage, why="gone"):
    with pytest.raises(Unavailable, match=why), outage.reaching():
        raise Unavailable(why)


def test_while_it_is_away_one_looks_and_the_others_hear_no_at_once():
    outage = Outage()
    fail(outage)
    looking, seen = threading.Event(), threading.Event()

    def look():
        with outage.reaching():
            looking.set()
            assert seen.wait(30)

    thread = threading.Thread(target=look)
    thread.start()
    assert looking.wait(30)
    with pytest.raises(Unavailable, match="gone"), outage.reaching():
        pytest.fail("two look")
    seen.set()
    thread.join()
    with outage.reaching(), outage.reaching():
        pass  # it is back, so everybody may


def test_who_looks_in_vain_lets_the_next_one_look():
    outage = Outage()
    fail(outage)
    fail(outage, "still gone")
    with outage.reaching():
        pass


def lost(progress):
    error = OperationalError("COMMIT", {}, Exception("the connection is lost\nIs it there?"))
    error.connection_invalidated = True
    progress.committing = True
    raise error


def test_a_commit_without_an_answer_is_undecided():
    with pytest.raises(Undecided) as caught, explained() as progress:
        lost(progress)
    assert caught.value.message == "the database does not answer: the connection is lost"
    assert "not known" in caught.value.hint


def test_where_one_may_only_read_is_unavailable(postgres_url):
    database = Database(f"{postgres_url}&options=-c default_transaction_read_only=on")
    with pytest.raises(Unavailable, match="can only be read"), database.write() as connection:
        connection.exec_driver_sql("DELETE FROM setting")
    database.close()


def test_a_fault_of_ours_stays_one(database):
    with pytest.raises(UsageError, match="ours"), database.read():
        raise UsageError("ours")


@pytest.mark.enable_socket
@pytest.mark.network
@pytest.mark.postgres
def test_a_server_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database(f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/x")
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="does not answer"), database.read():
            pytest.fail("it answered")
        assert time.monotonic() - begun < 60
        database.close()


def test_an_answer_that_never_comes_is_given_up(postgres_url, monkeypatch):
    monkeypatch.setattr(postgresql, "PATIENCE", 2.0)
    database = Database(postgres_url)
    with (
        pytest.raises(Unavailable, match=r"nothing came for 2 seconds"),
        database.write() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(60)")
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    database.close()


def test_what_the_address_says_itself_wins(postgres_url):
    database = Database(f"{postgres_url}&connect_timeout=7&options=-c statement_timeout=123s")
    assert database.engine.url.query["connect_timeout"] == "7"
    with database.read() as connection:
        shown = connection.exec_driver_sql("SHOW statement_timeout").scalar()
        assert shown == "123s"
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "3s"
    database.close()
