"""Does the version of every environment grow when a file was edited, running or not?"""

from __future__ import annotations

from time import monotonic, sleep

import pytest
from starlette.testclient import TestClient

from flagstaff.server.app import build
from flagstaff.server.settings import Settings

FLAG = "config/feature_flags/development/new_navigation.yml"


@pytest.fixture
def edit(root):
    path = root / FLAG

    def edit(**changed):
        text = path.read_text()
        for key, value in changed.items():
            text += f"{key}: {value}\n"
        path.write_text(text)

    return edit


def version(application):
    with TestClient(application.asgi, base_url="http://localhost") as client:
        client.headers["authorization"] = f"Bearer {application.token}"
        return client.get("/api/v1/environments/dev/snapshot").json()["version"]


def test_a_file_that_was_edited_between_two_starts(root, edit):
    def started():
        application = build(Settings(root=root, engine=False))
        try:
            return version(application)
        finally:
            application.close()

    assert [started(), started()] == [0, 0]
    edit(bucketing="murmur3")
    assert [started(), started()] == [1, 1]


def test_a_file_that_is_edited_while_the_server_runs(application, edit):
    assert version(application) == 0
    edit(variants="[{name: blue}]")
    end = monotonic() + 60
    while version(application) == 0:
        assert monotonic() < end
        sleep(0.05)
    assert version(application) == 1
