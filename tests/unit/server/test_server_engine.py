"""One server on a database runs the rollouts, and every server says what is unusual about it."""

from __future__ import annotations

import logging

import pytest

from flagstaff.errors import Conflict
from flagstaff.server import run
from flagstaff.server.app import build
from flagstaff.server.settings import Settings

UNUSUAL = "another server on this database runs the rollouts"


@pytest.fixture
def opened():
    """Build servers and close what the test leaves open."""
    servers = []

    def opening(settings):
        servers.append(build(settings))
        return servers[-1]

    yield opening
    for each in servers:
        each.close()


@pytest.fixture
def project(tmp_path, postgres_url):
    """Return the settings of servers with folders of their own on one database."""

    def settings(name, **more):
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        return Settings(root=root, database=postgres_url, **more)

    return settings


@pytest.mark.enable_socket
def test_only_the_first_server_on_a_database_runs_the_engine(opened, project):
    first = opened(project("one"))
    assert first.engine.runs
    assert first.remarks == ()
    second = opened(project("two"))
    assert not second.engine.runs
    (remark,) = second.remarks
    assert remark.startswith(UNUSUAL)


@pytest.mark.enable_socket
def test_the_engine_is_free_again_once_its_server_has_ended(opened, project):
    build(project("one")).close()
    assert opened(project("two")).engine.runs


@pytest.mark.enable_socket
def test_a_server_that_is_to_run_none_leaves_the_engine_to_others(opened, project):
    first = opened(project("one", engine=False))
    assert first.engine is None
    assert first.remarks == ()
    assert opened(project("two")).engine.runs


@pytest.mark.enable_socket
def test_the_log_and_the_start_message_say_so(opened, project, caplog, monkeypatch):
    opened(project("one"))
    monkeypatch.setattr(run.Listening, "run", lambda _self, sockets: sockets)
    with caplog.at_level(logging.WARNING):
        run.serve(project("two", port=0), ready=str)
    assert UNUSUAL in caplog.text
    heard = []
    run.serve(project("two", port=0), ready=str, remark=heard.append)
    assert [each.startswith(UNUSUAL) for each in heard] == [True]


def test_a_fast_clock_is_said_and_a_used_database_keeps_its_own(opened, tmp_path):
    fast = opened(Settings(root=tmp_path, speed=600, engine=False))
    assert fast.remarks == ("time runs 600 times as fast as real time",)
    fast.close()
    again = opened(Settings(root=tmp_path, engine=False))
    assert again.remarks == fast.remarks
    again.close()
    with pytest.raises(Conflict, match="real time"):
        build(Settings(root=tmp_path, speed=1, engine=False))
