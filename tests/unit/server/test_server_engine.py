"""Every server runs the rollouts unless it is told not to, and one of them follows them."""

from __future__ import annotations

import pytest

from flagstaff.errors import Conflict
from flagstaff.server.app import build
from flagstaff.server.settings import Settings


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
def test_every_server_on_a_database_runs_the_engine_and_one_follows(opened, project):
    first, second = opened(project("one")), opened(project("two"))
    assert first.remarks == second.remarks == ()
    first.start()
    second.start()
    assert (first.engine.leads, second.engine.leads) == (True, False)
    first.close()
    second.engine._leases.prolong()
    assert second.engine.leads


@pytest.mark.enable_socket
def test_a_server_that_is_to_run_none_leaves_the_engine_to_others(opened, project):
    first = opened(project("one", engine=False))
    assert first.engine is None
    assert first.remarks == ()
    assert opened(project("two")).engine is not None


def test_a_fast_clock_is_said_and_a_used_database_keeps_its_own(opened, tmp_path):
    fast = opened(Settings(root=tmp_path, speed=600, engine=False))
    assert fast.remarks == ("time runs 600 times as fast as real time",)
    fast.close()
    again = opened(Settings(root=tmp_path, engine=False))
    assert again.remarks == fast.remarks
    again.close()
    with pytest.raises(Conflict, match="real time"):
        build(Settings(root=tmp_path, speed=1, engine=False))
