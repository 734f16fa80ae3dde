"""Do servers on one database hear of each other's changes, and of their own only once?"""

from __future__ import annotations

import queue

import psycopg
import pytest

from flagstaff.commands.model import SetFlag
from flagstaff.errors import Undecided
from flagstaff.flags.change import Boolean
from flagstaff.services.replicas import Replicas
from flagstaff.services.services import EVERYTHING, Services
from flagstaff.services.telling import Telling
from flagstaff.store import flags
from flagstaff.store.database import Database

PATIENCE = 30
ON = SetFlag(flag="new_navigation", environments=("dev", "staging"), change=Boolean(value=True))
CHANGED = frozenset({"flags:dev", "flags:staging"})


@pytest.fixture
def server(postgres_url, context, clock):
    """Start servers on one database; each is its services and what its listeners hear."""
    started = []

    def start():
        database = Database(postgres_url)
        services = Services(database, context, clock)
        heard = queue.Queue()
        services.listen(heard.put)
        replicas = Replicas(services)
        replicas.start()
        started.append((replicas, database))
        assert heard.get(timeout=PATIENCE) == {EVERYTHING}
        return services, heard

    yield start
    for replicas, database in started:
        replicas.close()
        database.close()


def test_what_one_changes_the_others_hear_and_it_hears_itself_once(server, ada):
    (one, heard_by_one), (two, heard_by_two) = server(), server()
    one.execute(ON, ada)
    assert heard_by_one.get(timeout=PATIENCE) == CHANGED
    assert heard_by_two.get(timeout=PATIENCE) == CHANGED
    two.execute(SetFlag(flag=ON.flag, environments=("dev",), change=Boolean(value=False)), ada)
    assert heard_by_one.get(timeout=PATIENCE) == {"flags:dev"}
    assert heard_by_two.get(timeout=PATIENCE) == {"flags:dev"}
    assert heard_by_one.empty()
    assert heard_by_two.empty()


def test_a_dry_run_is_heard_by_nobody(server, ada):
    (one, _), (_, heard_by_two) = server(), server()
    one.execute(ON, ada, dry_run=True)
    one.execute(ON, ada)
    assert heard_by_two.get(timeout=PATIENCE) == CHANGED


def test_one_whose_commit_got_no_answer_hears_of_it_when_it_was_kept(server, ada, monkeypatch):
    (one, heard_by_one), (_, heard_by_two) = server(), server()

    def lose(connection):
        """Keep the transaction, and lose the answer."""
        connection.commit()
        connection.dbapi_connection.close()
        raise psycopg.OperationalError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(one.database.engine.dialect, "do_commit", lose)
        with pytest.raises(Undecided, match="lost"):
            one.execute(ON, ada)
    assert heard_by_one.get(timeout=PATIENCE) == CHANGED
    assert heard_by_two.get(timeout=PATIENCE) == CHANGED
    with one.database.read() as connection:
        assert {each.environment for each in flags.find(connection)} == {"dev", "staging"}


def test_what_is_in_doubt_is_told_again_when_it_arrives():
    telling = Telling()
    sure, doubtful = telling.begin(), telling.begin()
    telling.doubt(doubtful)
    assert telling.has_told(sure)
    assert not telling.has_told(doubtful)
    assert not Telling().has_told(sure)


def test_a_file_has_nobody_to_hear_of(sqlite_url, context, clock):
    database = Database(sqlite_url)
    replicas = Replicas(Services(database, context, clock))
    replicas.start()
    replicas.close()
    database.close()
