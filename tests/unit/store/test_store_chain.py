"""Can the audit log only grow, and does a change behind our back show?"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import flagstaff.store.database as module
from fakes import START
from flagstaff.flags.gates import Gates
from flagstaff.store import audit, chain, flags
from flagstaff.store.audit import AuditEntry, Search
from flagstaff.store.database import Database

ENTRY = AuditEntry(
    at=START,
    who="Zoë",
    source="chat",
    action="flag.set",
    flag="new_navigation",
    environment="production",
    rollout_id=4,
    step="s1",
    before=None,
    after=Gates(boolean=True).to_json(),
    text="set",
    reason="“why”",
    override="max-step",
)
TRIGGERS = ("audit_no_update", "audit_no_delete")


def append(database, *entries):
    with database.write() as connection:
        audit.append(connection, entries)


def entries(database):
    with database.read() as connection:
        return audit.search(connection, Search(), limit=1000)[::-1]


def verify(database):
    with database.read() as connection:
        return chain.verify(connection)


def tamper(database, *statements):
    """Change the log as somebody who owns the database can."""
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP TRIGGER audit_only_grows ON audit"))
        else:
            for name in TRIGGERS:
                connection.execute(text(f"DROP TRIGGER {name}"))
        for each in statements:
            connection.execute(text(each))


@pytest.fixture
def log(database):
    append(database, *(replace(ENTRY, text=f"the {n}.") for n in range(1, 4)))
    append(database, replace(ENTRY, text="the 4."))
    return database


class TestChain:
    def test_each_entry_carries_the_hash_of_the_one_before(self, log):
        found = entries(log)
        assert [each.previous for each in found] == ["", *(each.hash for each in found[:-1])]
        assert verify(log) == chain.Verification(entries=4, head=found[-1].hash)

    def test_an_outsider_can_recompute_a_hash(self, log):
        entry = entries(log)[1]
        told = {
            "action": "flag.set",
            "after": entry.after,
            "at": "2026-03-02T09:00:00.000000+00:00",
            "before": None,
            "environment": "production",
            "flag": "new_navigation",
            "override": "max-step",
            "previous": entry.previous,
            "reason": "“why”",
            "rollout_id": 4,
            "source": "chat",
            "step": "s1",
            "text": "the 2.",
            "who": "Zoë",
        }
        line = json.dumps(told, sort_keys=True, separators=(",", ":"))
        assert entry.hash == hashlib.sha256(line.encode()).hexdigest()

    def test_the_hash_never_depends_on_where_one_is(self):
        elsewhere = START.astimezone(timezone(timedelta(hours=9)))
        values = {name: getattr(ENTRY, name) for name in chain.FIELDS}
        assert chain.digest(values, "x") == chain.digest({**values, "at": elsewhere}, "x")

    def test_the_format_is_the_one_that_old_logs_were_written_in(self):
        values = {name: getattr(ENTRY, name) for name in chain.FIELDS}
        assert chain.digest(values, "") == (
            "22c169ca53b556f7751d68223c687eb7c1d2a46e40db24b66c5859745e036403"
        )

    def test_an_empty_log_is_in_order(self, database):
        append(database)
        assert verify(database) == chain.Verification(entries=0, head="")


class TestOnlyGrows:
    @pytest.mark.parametrize(
        "statement", ["UPDATE audit SET reason = 'none'", "DELETE FROM audit WHERE id = 2"]
    )
    def test_the_database_itself_refuses(self, log, statement):
        with pytest.raises(DBAPIError, match="only grow"), log.write() as connection:
            connection.execute(text(statement))
        assert verify(log).entries == 4

    @pytest.mark.parametrize(
        ("statements", "broken", "good", "words"),
        [
            (["UPDATE audit SET reason = 'none' WHERE id = 2"], 2, 1, "not as it was written"),
            (["UPDATE audit SET who = 'bob' WHERE id = 4"], 4, 3, "not as it was written"),
            (["DELETE FROM audit WHERE id = 2"], 3, 1, "does not follow"),
            (["DELETE FROM audit WHERE id = 1"], 2, 0, "does not follow"),
            (["DELETE FROM audit WHERE id > 2"], None, 2, "the end is missing"),
            (["DELETE FROM audit"], None, 0, "the end is missing"),
            (["DELETE FROM audit_head"], None, 4, "no number of were noted"),
            (
                [
                    "UPDATE audit SET id = 9 WHERE id = 2",
                    "UPDATE audit SET id = 2 WHERE id = 3",
                    "UPDATE audit SET id = 3 WHERE id = 9",
                ],
                2,
                1,
                "does not follow",
            ),
        ],
    )
    def test_what_is_done_behind_its_back_shows(self, log, statements, broken, good, words):
        tamper(log, *statements)
        found = verify(log)
        assert (found.broken, found.entries) == (broken, good)
        assert words in found.why


def test_writers_at_the_same_time_make_one_chain(database):
    errors = []

    def write(name):
        try:
            for number in range(10):
                with database.write() as connection:
                    flags.lock(connection, ["dev", "production"] if number % 2 else ["production"])
                    audit.append(connection, [replace(ENTRY, who=name, text=str(number))] * 2)
        except Exception as exc:  # noqa: BLE001 - told to the test
            errors.append(exc)

    threads = [threading.Thread(target=write, args=(f"p{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = verify(database)
    assert (found.entries, found.why) == (120, "")


def test_what_is_taken_back_leaves_no_gap(log):
    with log.write(keep=False) as connection:
        audit.append(connection, [ENTRY])
    append(log, ENTRY)
    assert verify(log).entries == 5


def test_entries_of_the_first_version_are_chained(empty_url):
    database = Database(empty_url)
    _upgrade(database, "0001")
    first = replace(ENTRY, override="")
    columns = (
        "at, who, source, action, flag, environment, rollout_id, step, before, after, text, reason"
    )
    with database.write() as connection:
        for number, after in enumerate(["null", json.dumps(ENTRY.after), None]):
            connection.execute(
                text(
                    f"INSERT INTO audit ({columns}) VALUES (:at, 'Zoë', 'chat', 'flag.set', "  # noqa: S608 ours
                    "'new_navigation', 'production', 4, 's1', NULL, :after, :text, '“why”')"
                ),
                {
                    "at": "2026-03-02 09:00:00.000000"
                    + ("+00:00" if connection.dialect.name == "postgresql" else ""),
                    "after": after,
                    "text": f"the {number}.",
                },
            )
    database.migrate()
    append(database, first)
    found = entries(database)
    assert [each.after for each in found] == [None, ENTRY.after, None, ENTRY.after]
    assert found[0].hash == chain.digest(
        {name: getattr(first, name) for name in chain.FIELDS} | {"after": None, "text": "the 0."},
        "",
    )
    assert (verify(database).entries, verify(database).why) == (4, "")
    database.close()


def _upgrade(database, revision):
    config = Config()
    folder = module.Path(module.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


class TestSearch:
    @pytest.fixture
    def found(self, database):
        append(
            database,
            replace(ENTRY, flag="a", who="ada"),
            replace(ENTRY, flag="b", environment="dev", at=START + timedelta(hours=1)),
            replace(ENTRY, action="flag.delete", at=START + timedelta(hours=2)),
            replace(ENTRY, action="flags", rollout_id=None),
            replace(ENTRY, action="step.done", step="s2"),
        )

        def search(limit=10, **wanted):
            with database.read() as connection:
                return [each.id for each in audit.search(connection, Search(**wanted), limit=limit)]

        return search

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({}, [5, 4, 3, 2, 1]),
            ({"flag": "a"}, [1]),
            ({"who": "ada"}, [1]),
            ({"environment": "dev"}, [2]),
            ({"action": "flag"}, [3, 2, 1]),
            ({"action": "flag.set"}, [2, 1]),
            ({"action": "fl%"}, []),
            ({"since": START + timedelta(hours=1)}, [3, 2]),
            ({"until": START + timedelta(hours=1)}, [5, 4, 1]),
            ({"below": 3}, [2, 1]),
            ({"above": 3}, [5, 4]),
            ({"rollout_id": 4, "environment": "production", "above": 1}, [5, 3]),
            ({"limit": 2}, [5, 4]),
        ],
    )
    def test_by_everything_that_is_asked(self, found, wanted, expected):
        assert found(**wanted) == expected
