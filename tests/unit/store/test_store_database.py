"""Is a transaction whole, is reading one moment, and are the tables the ones we know?"""

from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from fakes import START
from flagstaff.errors import Conflict, FlagstaffError, Unavailable, UsageError
from flagstaff.flags.gates import Gates
from flagstaff.store import flags, settings
from flagstaff.store.database import Database
from flagstaff.store.flags import FlagState
from flagstaff.store.tables import metadata


def put(connection, gates=Gates(), environment="production", flag="new_navigation"):  # noqa: B008
    flags.put(
        connection,
        FlagState(
            environment=environment, flag=flag, gates=gates, updated_at=START, updated_by="ada"
        ),
    )


class TestMigrations:
    def test_lead_to_the_tables_of_this_version(self, empty_url):
        database = Database(empty_url)
        database.migrate()
        with database.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_server_default": True})
            assert compare_metadata(context, metadata) == []
        database.close()

    def test_make_the_same_indexes_with_the_same_conditions(self, empty_url):
        database = Database(empty_url)
        database.migrate()
        migrated = indexes(database)
        with database.write() as connection:
            metadata.drop_all(connection)
            metadata.create_all(connection)
        assert indexes(database) == migrated
        assert {"uq_rollout_active_flag", "ix_effect_pending"} <= migrated.keys()
        database.close()

    def test_running_twice_is_harmless(self, empty_url):
        database = Database(empty_url)
        database.migrate()
        with database.write() as connection:
            put(connection)
        database.migrate()
        with database.read() as connection:
            assert len(flags.find(connection)) == 1
        database.close()

    def test_two_servers_that_start_together_do_not_collide(self, empty_url):
        databases = [Database(empty_url) for _ in range(3)]
        errors = together(*[database.migrate for database in databases])
        assert errors == []
        with databases[0].read() as connection:
            assert flags.find(connection) == []
        for database in databases:
            database.close()

    def test_tables_of_a_newer_version_are_left_alone(self, database):
        with database.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(Conflict, match="newer Flagstaff"):
            database.migrate()


def indexes(database):
    with database.read() as connection:
        inspector = inspect(connection)
        return {
            each["name"]: (table, each["column_names"], bool(each["unique"]), condition(each))
            for table in inspector.get_table_names()
            for each in inspector.get_indexes(table)
        }


def condition(index):
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where", "")))


def together(*functions):
    """Run functions at the same moment and return what they raised."""
    errors = []
    gate = threading.Barrier(len(functions))

    def run(function):
        gate.wait()
        try:
            function()
        except FlagstaffError as exc:
            errors.append(exc)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


class TestTransactions:
    def test_an_exception_takes_everything_back(self, database):
        def fail():
            with database.write() as connection:
                put(connection)
                raise Conflict("no")

        with pytest.raises(Conflict):
            fail()
        with database.read() as connection:
            assert flags.find(connection) == []
            assert flags.version(connection, "production") == 0

    def test_what_is_not_to_be_kept_is_seen_and_gone(self, database):
        with database.write(keep=False) as connection:
            put(connection)
            assert len(flags.find(connection)) == 1
        with database.read() as connection:
            assert flags.find(connection) == []

    def test_reading_sees_one_moment(self, database):
        with database.write() as connection:
            put(connection)
        with database.read() as reading:
            assert flags.version(reading, "production") == 1
            with database.write() as connection:
                put(connection, Gates(boolean=True))
            assert flags.version(reading, "production") == 1
            assert flags.find(reading)[0].gates == Gates()
        with database.read() as reading:
            assert flags.version(reading, "production") == 2

    def test_reading_cannot_write(self, database):
        def write():
            with database.read() as connection:
                put(connection)

        with pytest.raises(Exception, match=r"read.?only"):
            write()
        with database.write() as connection:
            put(connection)

    def test_writers_of_one_environment_do_not_overwrite_each_other(self, database):
        def add(number):
            def write():
                for each in range(5):
                    with database.write() as connection:
                        flags.lock(connection, ["production"])
                        state = flags.get(connection, "production", "new_navigation")
                        gates = state.gates if state else Gates()
                        put(connection, gates.add_actors([f"User:{number}-{each}"]))

            return write

        assert together(*(add(number) for number in range(4))) == []
        with database.read() as connection:
            [state] = flags.find(connection)
            assert len(state.gates.actors) == 20
            assert flags.version(connection, "production") == 20

    def test_writers_of_several_environments_do_not_wait_for_each_other_for_ever(self, database):
        def writer(*environments):
            def write():
                for _ in range(10):
                    with database.write() as connection:
                        flags.lock(connection, environments)
                        for environment in environments:
                            put(connection, environment=environment)

            return write

        assert together(writer("a", "b", "c"), writer("c", "b", "a")) == []
        with database.read() as connection:
            assert [flags.version(connection, each) for each in "abc"] == [20, 20, 20]


class TestAddresses:
    @pytest.mark.parametrize("url", ["mysql://ada:secret@host/x", "oracle://x", "redis://x"])
    def test_another_kind_is_refused(self, url):
        with pytest.raises(UsageError, match="is not a database Flagstaff runs on") as caught:
            Database(url)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("url", ["", "flagstaff.db", "postgresql ada:secret@host"])
    def test_what_is_no_address_is_refused_without_repeating_it(self, url):
        with pytest.raises(UsageError, match="no address") as caught:
            Database(url)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_memory_is_refused(self, url):
        with pytest.raises(UsageError, match="forgotten"):
            Database(url)

    def test_folders_are_made(self, tmp_path):
        database = Database(f"sqlite:///{tmp_path}/a/b c/flags.db")
        database.migrate()
        database.close()
        assert (tmp_path / "a/b c/flags.db").exists()

    def test_a_place_where_none_can_be_is_said(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(Unavailable, match="no place"):
            Database(f"sqlite:///{tmp_path}/file/flags.db")

    def test_a_file_that_is_no_database_is_not_taken_for_one(self, tmp_path):
        (tmp_path / "flags.db").write_text("this is a text " * 100)
        database = Database(f"sqlite:///{tmp_path}/flags.db")
        with pytest.raises(Unavailable, match="is not a database"):
            database.migrate()
        database.close()

    def test_nobody_there_is_said(self, tmp_path):
        database = Database(f"postgresql://postgres:@/db?host={tmp_path}")
        with pytest.raises(Unavailable, match="does not answer"):
            database.migrate()
        database.close()


def test_settings_are_kept_under_their_key(database):
    with database.write() as connection:
        assert settings.get(connection, "clock") is None
        settings.put(connection, "clock", {"speed": 600, "ü": [1, None]})
        settings.put(connection, "other", "x")
        settings.put(connection, "clock", {"speed": 60})
    with database.read() as connection:
        assert settings.get(connection, "clock") == {"speed": 60}
        assert settings.get(connection, "other") == "x"
