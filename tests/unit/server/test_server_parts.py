"""The parts of the server that stand alone: settings, files, the lock, the watched definitions."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flagstaff.errors import Conflict, DefinitionError, Refused, Unavailable, UsageError
from flagstaff.server import folder
from flagstaff.server.app import build
from flagstaff.server.lock import FileLock
from flagstaff.server.settings import Settings, check_reach, load_settings
from flagstaff.server.watched import WatchedDefinitions


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_settings_come_from_arguments_then_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("FLAGSTAFF_PORT", "9001")
    monkeypatch.setenv("FLAGSTAFF_SPEED", "60")
    settings = load_settings(root=tmp_path, port=None, speed=2.0)
    assert (settings.port, settings.speed) == (9001, 2.0)
    assert settings.database_url == f"sqlite:///{tmp_path.resolve()}/.flagstaff/state.db"


def test_a_wrong_setting_is_named_with_where_it_comes_from(monkeypatch, tmp_path):
    monkeypatch.setenv("FLAGSTAFF_PORT", "eighty")
    with pytest.raises(UsageError, match=r"FLAGSTAFF_PORT: 'eighty'"):
        load_settings(root=tmp_path)
    with pytest.raises(UsageError, match=r"speed: 0\.5"):
        load_settings(root=tmp_path, port=1, speed=0.5)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.com", "::"])  # noqa: S104
def test_others_do_not_reach_a_server_without_an_owner(host, root):
    with pytest.raises(Refused, match="before an admin can sign in"):
        build(Settings(root=root, host=host, public_url="https://flags.internal", engine=False))
    with pytest.raises(Refused, match="before an admin can sign in"):
        check_reach(Settings(root=root, host=host), owner=False)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"host": "0.0.0.0"}, "needs --public-url"),  # noqa: S104
        ({"public_url": "flags.internal"}, "no web address"),
        ({"public_url": "https://flags.internal/flags"}, "has a path"),
        ({"tls_cert": Path("cert.pem")}, "belong together"),
        ({"tls_cert": Path("cert.pem"), "tls_key": Path("key.pem")}, "there is no file cert.pem"),
    ],
)
def test_settings_that_do_not_go_together_are_said(wrong, words):
    with pytest.raises(UsageError, match=words):
        check_reach(Settings(**wrong), owner=True)


def test_the_token_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first = folder.prepare(tmp_path / "state")
    assert folder.prepare(tmp_path / "state") == first
    assert len(first) >= 43
    assert mode(tmp_path / "state") == 0o700
    assert mode(tmp_path / "state/token") == 0o600
    assert (tmp_path / "state/.gitignore").read_text() == "*\n"


def test_programs_find_the_server_while_it_runs(tmp_path):
    folder.announce(tmp_path, "http://127.0.0.1:8080")
    assert json.loads((tmp_path / "server.json").read_text()) == {
        "url": "http://127.0.0.1:8080",
        "pid": os.getpid(),
    }
    assert mode(tmp_path / "server.json") == 0o600
    folder.withdraw(tmp_path)
    assert not (tmp_path / "server.json").exists()


def test_two_processes_cannot_serve_one_file(tmp_path):
    lock = FileLock(tmp_path / "state.db.lock")
    with pytest.raises(Conflict, match=f"process {os.getpid()} already serves .*state\\.db\\n"):
        FileLock(tmp_path / "state.db.lock")
    lock.release()
    FileLock(tmp_path / "state.db.lock").release()


def test_a_second_server_of_the_project_is_refused_and_leaves_the_first_alone(application, root):
    with pytest.raises(Conflict, match="already serves"):
        build(Settings(root=root, engine=False))
    assert application.services.execute is not None
    application.close()
    build(Settings(root=root, engine=False)).close()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / ".flagstaff").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be written"):
        build(Settings(root=tmp_path, engine=False))


@pytest.mark.parametrize("in_the_way", ["", "state.db.lock/x"])
def test_a_database_whose_lock_cannot_be_written_is_said(tmp_path, in_the_way):
    folder_of_it = tmp_path / "data"
    if in_the_way:
        (folder_of_it / in_the_way).mkdir(parents=True)
    else:
        folder_of_it.write_text("a file where a folder should be")
    with pytest.raises(Unavailable, match=r"state\.db\.lock cannot be written") as caught:
        FileLock(folder_of_it / "state.db.lock")
    assert "choose another" in caught.value.hint


def test_a_broken_settings_file_stops_the_start(tmp_path):
    (tmp_path / "flagstaff.yml").write_text("environments: [\n")
    with pytest.raises(DefinitionError, match=r"flagstaff\.yml"):
        build(Settings(root=tmp_path, engine=False))


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_definitions_are_read_again_when_a_file_changes(root):
    watched = WatchedDefinitions(root, "config/feature_flags", clock=Seconds())
    heard = []
    watched.listen(lambda: heard.append(1))
    assert list(watched()) == ["new_navigation"]
    path = root / "config/feature_flags/development/second_flag.yml"
    first = root / "config/feature_flags/development/new_navigation.yml"
    path.write_text(first.read_text().replace("new_navigation", "second_flag"))
    assert list(watched()) == ["new_navigation", "second_flag"]
    assert heard == [1]
    path.unlink()
    assert list(watched()) == ["new_navigation"]


def test_a_broken_file_keeps_what_it_last_said_and_is_reported(root):
    watched = WatchedDefinitions(root, "config/feature_flags", clock=Seconds())
    path = root / "config/feature_flags/development/new_navigation.yml"
    good = path.read_text()
    path.write_text("name: [\n")
    assert list(watched()) == ["new_navigation"]
    assert watched.problems[0].file == "config/feature_flags/development/new_navigation.yml"
    path.write_text(good + "\n")
    assert watched()["new_navigation"].milestone == "15.1"
    assert watched.problems == ()


def test_settings_that_changed_are_logged_once_for_they_count_from_the_next_start_on(root, caplog):
    watched = WatchedDefinitions(root, "config/feature_flags", clock=Seconds())
    watched()
    assert caplog.messages == []
    (root / "flagstaff.yml").write_text("verification_term: 3d\n")
    watched()
    watched()
    assert caplog.messages == ["flagstaff.yml has changed: restart the server to have it count"]


def test_a_flag_whose_file_is_wrong_says_so(root):
    watched = WatchedDefinitions(root, "config/feature_flags", clock=Seconds())
    path = root / "config/feature_flags/development/gamma.yml"
    assert watched().wrong("gamma") is None
    path.write_text("name: gamma\ntype: development\ndefault_enabled: perhaps\n")
    found = watched().wrong("gamma")
    assert (found.file, found.line) == ("config/feature_flags/development/gamma.yml", 3)
    afresh = WatchedDefinitions(root, "config/feature_flags", clock=Seconds())
    assert afresh().wrong("gamma") == found
    assert afresh().wrong("new_navigation") is None


def test_files_are_not_looked_at_more_often_than_twice_a_second(root):
    watched = WatchedDefinitions(root, "config/feature_flags", clock=lambda: 5.0)
    (root / "config/feature_flags/development/new_navigation.yml").unlink()
    assert list(watched()) == ["new_navigation"]


def test_another_servers_note_is_left_alone(tmp_path):
    note = tmp_path / folder.SERVER
    note.write_text('{"url": "http://127.0.0.1:1", "pid": 1}')
    folder.withdraw(tmp_path)
    assert note.exists()
    folder.announce(tmp_path, "http://127.0.0.1:2")
    folder.withdraw(tmp_path)
    assert not note.exists()


def test_a_server_loads_neither_parsers_nor_migrations_before_it_needs_them(tmp_path, put_tables):
    put_tables(tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from flagstaff.server.app import build\n"
        "from flagstaff.server.settings import Settings\n"
        "build(Settings(root=Path(sys.argv[1]), engine=True)).close()\n"
        "print({'libcst', 'alembic', 'tree_sitter'} & {*sys.modules})"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.check_output(words, text=True) == "set()\n"
