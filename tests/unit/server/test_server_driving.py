"""What makes a server look at rollouts is chosen, and refused where it cannot work."""

from __future__ import annotations

import logging
import sys

import psycopg
import pytest

from flagstaff.engine.procrastinate_driver import Pace, Procrastinate
from flagstaff.errors import MissingExtra, UsageError
from flagstaff.server.app import build
from flagstaff.server.driving import SCHEMA, chosen_driver
from flagstaff.server.settings import EngineKind, Settings, load_settings
from flagstaff.services.clock import SystemClock
from flagstaff.services.opening import conninfo

POSTGRESQL = "postgresql://flagstaff@db.internal/flagstaff"


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("built-in", EngineKind.BUILT_IN),
        ("true", EngineKind.BUILT_IN),
        ("1", EngineKind.BUILT_IN),
        ("none", EngineKind.NONE),
        ("False", EngineKind.NONE),
        ("procrastinate", EngineKind.PROCRASTINATE),
    ],
)
def test_the_engine_is_chosen_by_name_and_yes_and_no_still_count(
    written, kind, monkeypatch, tmp_path
):
    monkeypatch.setenv("FLAGSTAFF_ENGINE", written)
    assert load_settings(root=tmp_path).engine is kind


def test_an_engine_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(UsageError, match="engine: 'celery'"):
        load_settings(root=tmp_path, engine="celery")


def test_the_built_in_one_needs_no_driver(tmp_path):
    assert chosen_driver(Settings(root=tmp_path)) is None


def test_on_sqlite_procrastinate_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(UsageError, match="this database is SQLite") as refused:
        build(Settings(root=tmp_path, engine="procrastinate"))
    assert "--database postgresql://" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["procrastinate", "psycopg", "psycopg_pool"])
def test_without_its_extra_the_remedy_is_one_line(package, monkeypatch, tmp_path):
    for name in [*sys.modules]:
        if name.startswith(("flagstaff.engine.procrastinate", "procrastinate")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    settings = Settings(root=tmp_path, engine="procrastinate", database=POSTGRESQL)
    with pytest.raises(MissingExtra) as missing:
        chosen_driver(settings)
    assert missing.value.hint == "pip install 'flagstaff[procrastinate]'"


def test_its_tables_are_looked_for_in_their_own_schema():
    url = f"{POSTGRESQL}?options=-c%20search_path%3Dother%20-c%20work_mem%3D8MB&sslmode=require"
    given = psycopg.conninfo.conninfo_to_dict(conninfo(url, schema=SCHEMA))
    assert given["host"] == "db.internal"
    assert given["sslmode"] == "require"
    assert "work_mem=8MB" in given["options"]
    assert given["options"].endswith(f"-c search_path={SCHEMA}")
    assert "statement_timeout" in given["options"]


class Engine:
    """Counts its looks."""

    def __init__(self):
        self.looks = 0

    def look(self):
        self.looks += 1

    def next_look(self, number):
        raise AssertionError(number)


def test_woken_before_it_runs_and_stopped_without_a_database_it_does_no_harm(caplog, tmp_path):
    engine, nowhere = Engine(), f"host={tmp_path} dbname=none"
    driver = Procrastinate(nowhere, SCHEMA, SystemClock().wall, Pace(sweep=600.0, again=600.0))
    driver.wake(1)
    driver.stop()
    driver = Procrastinate(nowhere, SCHEMA, SystemClock().wall, Pace(sweep=600.0, again=600.0))
    with caplog.at_level(logging.WARNING):
        driver.start(engine)
        while not any("no jobs can be kept" in message for message in caplog.messages):
            driver.wake(1)
        driver.stop()
    assert engine.looks
