"""Is a copy whole, does it overwrite nothing, and can it be put back?"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import stat
import threading

import pytest

from flagstaff.cli.main import run
from flagstaff.errors import Conflict, UsageError
from flagstaff.server.lock import FileLock
from flagstaff.store import backup as store
from flagstaff.store import settings
from flagstaff.store.database import Database

PLAIN = "postgresql://ada@db.example:5433/flags?sslmode=require"


@pytest.fixture
def project(tmp_path, monkeypatch, sqlite_template):
    """Return a project's folder with a database, in which the test runs."""
    (tmp_path / ".flagstaff").mkdir()
    shutil.copy(sqlite_template, tmp_path / ".flagstaff/state.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLAGSTAFF_DATABASE", raising=False)
    return tmp_path


@contextlib.contextmanager
def opened(path):
    database = Database(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.close()


def put(path, value):
    with opened(path) as database, database.write() as connection:
        settings.put(connection, "test", value)


def value_in(path):
    with opened(path) as database, database.read() as connection:
        return settings.get(connection, "test")


def test_a_copy_is_whole_and_for_its_owner_alone(project, capsys):
    put(".flagstaff/state.db", 1)
    assert run(["backup", "copy.db"]) == 0
    assert "copy.db is a copy of the database, and in order" in capsys.readouterr().out
    assert stat.S_IMODE((project / "copy.db").stat().st_mode) == 0o600
    assert [each.name for each in project.iterdir() if "copy" in each.name] == ["copy.db"]
    assert value_in("copy.db") == 1


def test_programs_hear_where_it_is(project, capsys):
    assert run(["backup", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    made = project / told["path"]
    assert told["ok"]
    assert told["bytes"] == made.stat().st_size
    assert value_in(made) is None


def test_nothing_is_overwritten_without_a_yes(project, capsys):
    (project / "copy.db").write_text("mine")
    assert run(["backup", "copy.db"]) == 1
    assert "copy.db is there already" in capsys.readouterr().err
    assert (project / "copy.db").read_text() == "mine"
    assert run(["backup", "copy.db", "--yes"]) == 0
    assert value_in("copy.db") is None


@pytest.mark.usefixtures("project")
def test_not_even_with_one_is_it_the_database_itself():
    put(".flagstaff/state.db", 1)
    assert run(["backup", ".flagstaff/state.db", "--yes"]) == 1
    assert value_in(".flagstaff/state.db") == 1


def test_a_folder_that_is_not_there(project, capsys):
    assert run(["backup", "no/such/copy.db"]) == 2
    assert "there is no folder no/such" in capsys.readouterr().err
    assert not (project / "no").exists()


def test_a_project_without_a_database(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["backup", "copy.db"]) == 2
    assert "there is no database" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("words", "command"),
    [
        (
            ["backup", "a b.dump"],
            f"pg_dump --format=custom '--file=a b.dump' '{PLAIN}'",
        ),
        (
            ["restore", "x.dump"],
            f"pg_restore --clean --if-exists '--dbname={PLAIN}' x.dump",
        ),
    ],
)
def test_postgresql_has_its_own_and_the_password_is_not_said(capsys, words, command):
    url = "postgresql+psycopg://ada:secret@db.example:5433/flags?sslmode=require&password=secret"
    assert run([*words, "--database", url]) == 2
    said = capsys.readouterr()
    assert command in said.err
    assert "secret" not in said.err + said.out


def test_a_copy_is_one_moment_while_others_write(tmp_path, sqlite_url):
    source = tmp_path / "database" / "flagstaff.db"
    database = Database(sqlite_url)
    with database.write() as connection:
        for number in range(400):
            settings.put(connection, f"filling {number}", "x" * 50_000)
    stop, written = threading.Event(), threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            with database.write() as connection:
                settings.put(connection, "one", number)
                settings.put(connection, "other", number)
            written.set()

    thread = threading.Thread(target=write)
    thread.start()
    steps = []
    try:
        assert written.wait(30)
        made = store.copy(
            source=source,
            target=tmp_path / "copy.db",
            progress=lambda *seen: steps.append(seen),
            overwrite=False,
        )
    finally:
        stop.set()
        thread.join()
        database.close()
    assert len(steps) > 1
    assert steps[-1][0] == steps[-1][1]
    assert sorted(done for done, _ in steps) == [done for done, _ in steps]
    with opened(made.path) as copied, copied.read() as connection:
        assert settings.get(connection, "one") == settings.get(connection, "other") > 0


class TestRestoring:
    def test_brings_back_what_was_and_keeps_what_is(self, project, capsys):
        put(".flagstaff/state.db", "old")
        assert run(["backup", "copy.db"]) == 0
        put(".flagstaff/state.db", "new")
        assert run(["restore", "copy.db", "--yes"]) == 0
        assert value_in(".flagstaff/state.db") == "old"
        (kept,) = (project / ".flagstaff").glob("before-restore-*.db")
        assert value_in(kept) == "new"
        assert f"the one before is {kept}" in capsys.readouterr().out

    @pytest.mark.usefixtures("project")
    def test_needs_a_yes(self, capsys):
        put(".flagstaff/state.db", "new")
        assert run(["backup", "copy.db"]) == 0
        assert run(["restore", "copy.db"]) == 2
        assert "would be replaced" in capsys.readouterr().err

    def test_is_refused_while_a_server_runs(self, project, capsys):
        assert run(["backup", "copy.db"]) == 0
        lock = FileLock(project / ".flagstaff/state.db.lock")
        assert run(["restore", "copy.db", "--yes"]) == 1
        lock.release()
        assert "already serves" in capsys.readouterr().err

    def test_works_where_there_is_none_and_over_a_damaged_one(self, project):
        put(".flagstaff/state.db", "old")
        assert run(["backup", "copy.db"]) == 0
        (project / ".flagstaff/state.db").write_bytes(b"broken" * 1000)
        assert run(["restore", "copy.db", "--yes"]) == 0
        assert value_in(".flagstaff/state.db") == "old"
        (project / ".flagstaff/state.db").unlink()
        assert run(["restore", "copy.db"]) == 0
        assert value_in(".flagstaff/state.db") == "old"

    def test_what_stands_beside_the_old_one_is_not_taken_for_the_new_ones(self, project):
        put(".flagstaff/state.db", "old")
        assert run(["backup", "copy.db"]) == 0
        with opened(".flagstaff/state.db") as database, database.write() as connection:
            settings.put(connection, "test", "new")
        with contextlib.closing(sqlite3.connect(".flagstaff/state.db")) as crashed:
            crashed.execute("UPDATE setting SET value = '\"newer\"' WHERE key = 'test'")
            crashed.commit()
            for each in ("", "-wal", "-shm"):
                shutil.copy(f".flagstaff/state.db{each}", f"crashed.db{each}")
        for each in ("", "-wal", "-shm"):
            shutil.move(f"crashed.db{each}", f".flagstaff/state.db{each}")
        assert run(["restore", "copy.db", "--yes"]) == 0
        assert value_in(".flagstaff/state.db") == "old"
        (kept,) = (project / ".flagstaff").glob("before-restore-*.db")
        assert value_in(kept) == "newer"

    @pytest.mark.parametrize("content", [b"", b"text " * 999])
    def test_what_is_no_copy_is_left_where_it_is(self, project, capsys, content):
        put(".flagstaff/state.db", "old")
        (project / "copy.db").write_bytes(content)
        assert run(["restore", "copy.db", "--yes"]) == 2
        assert "copy.db is" in capsys.readouterr().err
        assert value_in(".flagstaff/state.db") == "old"

    def test_a_damaged_copy_is_seen(self, project):
        with opened(".flagstaff/state.db") as database, database.write() as connection:
            for number in range(100):
                settings.put(connection, f"filling {number}", "x" * 5_000)
        assert run(["backup", "copy.db"]) == 0
        damaged = bytearray((project / "copy.db").read_bytes())
        damaged[20_000:60_000] = b"\xff" * 40_000
        (project / "copy.db").write_bytes(damaged)
        with pytest.raises((UsageError, Conflict)):
            store.restore(
                source=project / "copy.db",
                target=project / "x.db",
                progress=lambda *_: None,
                keep_as=project / "y.db",
            )
        assert not (project / "x.db").exists()
